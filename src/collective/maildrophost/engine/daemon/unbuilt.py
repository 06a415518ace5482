"""The options that this version understands but does not act on yet."""

from __future__ import annotations

from collections.abc import Iterator

from ..config import Configuration


def unbuilt(configuration: Configuration) -> Iterator[str]:
    """A line for the log about each option that has no effect yet."""
    if configuration.metrics:
        yield "this version has no metrics yet: MAILDROP_METRICS has no effect"
