"""A changed configuration, once it is known that a daemon can go on with it."""

from __future__ import annotations

from pathlib import Path

from ..config import Configuration, load
from ..delivery import Route
from ..queue import Queue, open_queue
from .directories import check_log_file, make_directories


def load_usable(path: Path, queue: Queue) -> Configuration:
    """What is at `path`, with its directories, its log and its queue there.

    `queue` is the one in use: when its file is gone no new one is made in its place.
    Raises ConfigurationError, UnusableDirectory or QueueError, which say why not.
    """
    configuration = load(path)
    Route.of(configuration)
    make_directories(configuration)
    check_log_file(configuration)
    if configuration.queue == queue.url:
        with queue.read():
            return configuration
    open_queue(configuration.queue).close()
    return configuration
