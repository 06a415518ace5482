"""A changed configuration, once it is known that a daemon can go on with it."""

from __future__ import annotations

from pathlib import Path

from ..config import Configuration, load
from ..delivery import Route
from ..queue import open_queue
from .directories import make_directories


def load_usable(path: Path) -> Configuration:
    """What is at `path`, with its directories and its queue there.

    Raises ConfigurationError, UnusableDirectory or QueueError, which say why not.
    """
    configuration = load(path)
    Route.of(configuration)
    make_directories(configuration)
    open_queue(configuration.queue).close()
    return configuration
