"""What holds for every test."""

import signal

from hypothesis import settings

# A test run in the background of a script is started with Ctrl-C ignored, and whatever
# it starts inherits that; the programs under test are to be interrupted.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# For `make fuzz`: some minutes for what `make test` does in some seconds.
settings.register_profile("fuzz", max_examples=10_000, deadline=None, print_blob=True)
