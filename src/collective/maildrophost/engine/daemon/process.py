"""One run of the daemon: set up, serve, clean up."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Coroutine, Iterator
from contextlib import ExitStack, closing
from typing import Any, TypeVar

from .. import doorbell, signals
from ..config import Configuration
from ..delivery import Delivery, Route, bookkeeper
from ..doorbell import Doorbell
from ..errors import MaildropError
from ..queue import Queue, QueueError, open_queue
from ..tokens import await_replacements
from ..unquoted import unquoted
from . import log as logs
from .directories import check_log_file, make_directories
from .heartbeat import Heartbeat
from .pidfile import pid_file
from .service import Service
from .tally import Tell, tally

Result = TypeVar("Result")

log = logging.getLogger("maildrop.daemon")


def run(
    configuration: Configuration, once: bool = False, tell: Tell | None = None
) -> bool:
    """Run until told to stop; whether the relay's fault left mail that was due.

    `once` handles everything that is due now and ends: only then mail can be left, and
    `tell` hears how many messages are through, and of how many that were due. Raises
    QueueError, UnusableDirectory or LeaseLost when it can't start or go on, OSError
    when its log went away as it was opened, ConfigurationError for a login that can't
    work; all mail is in the queue then.
    """
    with signals.kept_waiting(), ExitStack() as files:
        files.callback(await_replacements)
        bell = None
        current: Configuration | None = configuration
        while current is not None:
            configuration = current
            make_directories(configuration)
            check_log_file(configuration)
            logs.set_up(configuration)
            if bell is None:
                bell = files.enter_context(_doorbell(configuration))
                if not once:
                    # It may run beside the daemon, which is named there.
                    files.enter_context(pid_file(configuration.pid_file))
            left, current = _run(configuration, bell, once, tell)
    return left


def _run(
    configuration: Configuration, bell: Doorbell, once: bool, tell: Tell | None
) -> tuple[bool, Configuration | None]:
    try:
        with closing(open_queue(configuration.queue)) as queue:
            return _serve(configuration, queue, bell, once, tell)
    except MaildropError as error:
        log.critical("the daemon ends: %s", error)
        raise
    except Exception as error:
        name = type(error).__name__
        log.critical("the daemon ends: unexpected %s", name, exc_info=unquoted(error))
        raise


def _serve(
    configuration: Configuration,
    queue: Queue,
    bell: Doorbell,
    once: bool,
    tell: Tell | None,
) -> tuple[bool, Configuration | None]:
    route = Route.of(configuration)
    heartbeat = Heartbeat(queue, route.name, str(bell.path))
    with bookkeeper(queue) as books:
        heartbeat.start()
        log.info(
            "started, pid %d, queue %s, relay %s", os.getpid(), queue.name, route.name
        )
        for warning in configuration.warnings:
            log.warning("%s", warning)
        reloaded, failed = None, True
        try:
            delivery = Delivery(
                configuration, route, queue, heartbeat.owner, books, once
            )
            service = Service(configuration, queue, delivery, heartbeat, bell)
            if configuration.metrics and not once:
                _watched(configuration, queue, heartbeat.owner, delivery, service)
            if once and tell is not None:
                delivery.observe = tally(queue, tell)
            if once:
                _loop(service.once())
            else:
                reloaded = _loop(service.run())
            failed = False
        finally:
            # A transaction that is still under way must not claim after this.
            books.close()
            _say_goodbye(heartbeat, failed)
            log.info("stopped")
    return delivery.ledger.gave_up, reloaded


def _say_goodbye(heartbeat: Heartbeat, failed: bool) -> None:
    try:
        heartbeat.stop(failed)
    except QueueError as error:
        # No reason to fail for, and no reason to hide why the daemon ends.
        log.error(
            "%s; its mail goes back once a daemon sees that this one is gone", error
        )


def _watched(
    configuration: Configuration,
    queue: Queue,
    owner: str,
    delivery: Delivery,
    service: Service,
) -> None:
    from ..metrics import Monitoring  # not worth its time where nobody watches

    in_flight = lambda: delivery.ledger.in_flight  # noqa: E731
    monitoring = Monitoring(configuration, queue, owner, in_flight)
    delivery.observe = monitoring.observe
    service.beside(monitoring.run)


def _loop(main: Coroutine[Any, Any, Result]) -> Result:
    """Run on uvloop where it is installed (the extra `fast`)."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(main)
    answer: Result = uvloop.run(main)
    return answer


@contextlib.contextmanager
def _doorbell(configuration: Configuration) -> Iterator[Doorbell]:
    bell = doorbell.listen(configuration.var)
    try:
        yield bell
    finally:
        bell.close()
