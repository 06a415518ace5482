"""The exit statuses of every command."""

from typing import Final

DONE: Final = 0
FAILED: Final = 1
USAGE: Final = 2
"""A usage error, or a configuration that cannot be used."""
NOT_RUNNING: Final = 3
