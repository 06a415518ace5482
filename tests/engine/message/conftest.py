"""Property tests without a time limit for an example."""

from hypothesis import settings

# A busy machine is no reason for a parser to fail its test.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
