"""The command line, `maildropctl`."""

from .program import main

__all__ = ["main"]
