"""The options that this version understands but does not act on yet."""

from __future__ import annotations

from collections.abc import Iterator

from ..config import Configuration, ConfigurationError


def refuse_unbuilt(configuration: Configuration) -> None:
    """ConfigurationError for what mail could not be sent without."""
    if configuration.auth == "xoauth2":
        raise ConfigurationError(
            configuration.path,
            None,
            "MAILDROP_AUTH",
            "this version logs in with plain or login only, not yet with xoauth2",
        )


def unbuilt(configuration: Configuration) -> Iterator[str]:
    """A line for the log about each option that has no effect yet."""
    if configuration.metrics:
        yield "this version has no metrics yet: MAILDROP_METRICS has no effect"
