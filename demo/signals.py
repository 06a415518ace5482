"""The signals that end the demo, as an exception that leads through the clearing up."""

from __future__ import annotations

import signal
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Ended(BaseException):
    """A signal came; no handler of mere errors catches it."""


def end_the_demo() -> None:
    """Raise Ended in the main thread when one of the signals comes."""
    for number in ENDING:
        # Set even where the shell had SIGINT ignored, as it does with "make demo &".
        signal.signal(number, _end)


def ignore() -> None:
    """Let none of the signals interrupt what comes now."""
    for number in ENDING:
        signal.signal(number, _do_nothing)


def _end(number: int, frame: FrameType | None) -> None:
    ignore()
    raise Ended(signal.Signals(number).name)


def _do_nothing(number: int, frame: FrameType | None) -> None:
    pass
