"""A changed configuration, once it is known that a daemon can go on with it."""

from __future__ import annotations

import contextlib
import logging

from ..config import Configuration, ConfigurationError, load
from ..delivery import Route
from ..queue import Queue, QueueError, open_queue, queue_length
from .directories import check_log_file, make_directories

log = logging.getLogger("maildrop.daemon")


def load_usable(in_use: Configuration, queue: Queue) -> Configuration:
    """What `in_use` has become, with its directories, its log and its queue there.

    `queue` is the one in use: when its file is gone no new one is made in its place.
    Raises ConfigurationError, UnusableDirectory or QueueError, which say why not.
    """
    configuration = load(in_use.path)
    _check_is_found_again(in_use, configuration)
    Route.of(configuration)
    make_directories(configuration)
    check_log_file(configuration)
    if configuration.queue == queue.url:
        with queue.read():
            return configuration
    open_queue(configuration.queue).close()
    _tell_of_mail_left(queue)
    return configuration


def _tell_of_mail_left(queue: Queue) -> None:
    # That it cannot be read may be why there is another one.
    with contextlib.suppress(QueueError), queue.read() as tx:
        if left := queue_length(tx):
            log.warning(
                "%d messages are in %s, where no daemon with this configuration sends "
                "them any more: 'maildropctl import' with that URL moves them",
                left,
                queue.name,
            )


def _check_is_found_again(in_use: Configuration, changed: Configuration) -> None:
    """Raise ConfigurationError when `stop` would look for the daemon elsewhere."""
    for option, before, now in (
        ("MAILDROP_VAR", in_use.var, changed.var),
        ("MAILDROP_PID_FILE", in_use.pid_file, changed.pid_file),
    ):
        if now != before:
            raise ConfigurationError(
                in_use.path,
                None,
                option,
                f"only a restart can change it from {before}, and 'stop' finds the "
                "daemon only before the change",
            )
