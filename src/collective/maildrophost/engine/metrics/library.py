"""Whether the library that metrics need is installed (the extra `metrics`)."""

from __future__ import annotations

from importlib.util import find_spec

from ..config import Configuration, ConfigurationError
from ..wording import _

LIBRARY = "prometheus_client"


def check_library(configuration: Configuration) -> None:
    """ConfigurationError when metrics are wanted and the extra is not installed."""
    if configuration.metrics and find_spec(LIBRARY) is None:
        raise ConfigurationError(
            configuration.path,
            None,
            "MAILDROP_METRICS",
            _(
                "metrics need one more library: install "
                "collective.maildrophost[metrics]; /health works without it"
            ),
        )
