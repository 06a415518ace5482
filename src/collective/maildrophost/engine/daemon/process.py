"""One run of the daemon: set up, serve, clean up."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Coroutine, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from typing import Any, TypeVar

from .. import doorbell
from ..config import Configuration
from ..delivery import Bookkeeper, Delivery, Route, bookkeeper
from ..doorbell import Doorbell
from ..errors import MaildropError
from ..queue import Queue, QueueError, open_queue
from ..system import signals
from ..system.blocking import begin
from ..tokens import await_replacements
from ..unquoted import unquoted
from . import log as logs
from .directories import check_files, make_directories
from .heartbeat import Heartbeat
from .pidfile import pid_file
from .reload import tell_of_files_left
from .service import Service
from .tally import Tell, tally

Result = TypeVar("Result")

log = logging.getLogger("maildrop.daemon")


def run(configuration: Configuration) -> None:
    """Run until told to stop.

    Raises QueueError, UnusableDirectory or LeaseLost when it can't start or go on,
    OSError when its log went away as it was opened, ConfigurationError for a login that
    can't work; all mail stays in the queue then.
    """
    with _process(configuration) as bell, pid_file(configuration.pid_file):
        before, reloaded = configuration, _serve(configuration, bell)
        while reloaded is not None:
            _prepare(reloaded)
            before, reloaded = reloaded, _serve(reloaded, bell, before)


def run_once(configuration: Configuration, tell: Tell | None = None) -> bool:
    """Handle all that is due now; True: a fault of the relay left some of it.

    `tell` hears how many messages are through, and of how many that were due. Raises
    what `run` raises, and Untaken when a file could not be taken in.
    """
    # Without a pid file: it names the daemon, and this may run beside that.
    with (
        _process(configuration) as bell,
        _daemon(configuration, bell, once=True) as (queue, heartbeat, delivery),
    ):
        service = Service(configuration, queue, delivery, heartbeat, bell)
        if tell is not None:
            delivery.observe = tally(queue, tell)
        _loop(service.once())
    _await_token(service)
    return delivery.ledger.gave_up


@contextmanager
def _process(configuration: Configuration) -> Iterator[Doorbell]:
    """What one process has, however often its configuration changes."""
    with signals.kept_waiting(), ExitStack() as end:
        end.callback(await_replacements)
        _prepare(configuration)
        yield end.enter_context(closing(doorbell.listen(configuration.var)))


def _prepare(configuration: Configuration) -> None:
    make_directories(configuration)
    check_files(configuration)
    logs.set_up(configuration)


def _serve(
    configuration: Configuration, bell: Doorbell, before: Configuration | None = None
) -> Configuration | None:
    """Serve until told to stop, or to go on with the configuration that is returned.

    `before` is the one that this one has replaced.
    """
    with _daemon(configuration, bell) as (queue, heartbeat, delivery):
        if before is not None:
            # Not before the fork: the child would keep the old directories open.
            # Beside all else, as they may be on a server that is away.
            begin(partial(tell_of_files_left, before, configuration), "left-files")
        service = Service(configuration, queue, delivery, heartbeat, bell)
        beside = []
        if configuration.metrics:
            from ..metrics import Monitoring  # not worth its time where nobody watches

            monitoring = Monitoring(
                configuration, queue, heartbeat.owner, lambda: delivery.ledger.in_flight
            )
            delivery.observe = monitoring.observe
            beside.append(monitoring.run())
        reloaded = _loop(service.run(*beside))
    _await_token(service)
    return reloaded


def _await_token(service: Service) -> None:
    # A stop waits for no connection, but it does for the token that one has asked for.
    await_replacements(service.left)


@contextmanager
def _daemon(
    configuration: Configuration, bell: Doorbell, once: bool = False
) -> Iterator[tuple[Queue, Heartbeat, Delivery]]:
    """One daemon, with its row and its claims in the queue."""
    with _last_words(), closing(open_queue(configuration.queue)) as queue:
        route = Route.of(configuration)
        heartbeat = Heartbeat(queue, route.name, str(bell.path))
        with bookkeeper(queue) as books, _alive(heartbeat, books):
            log.info(
                "started, pid %d, queue %s, relay %s",
                os.getpid(),
                queue.name,
                route.name,
            )
            for warning in configuration.warnings:
                log.warning("%s", warning)
            owner = heartbeat.owner
            delivery = Delivery(configuration, route, queue, owner, books, once)
            yield queue, heartbeat, delivery


@contextmanager
def _last_words() -> Iterator[None]:
    """Have the log say why the daemon ends."""
    try:
        yield
    except MaildropError as error:
        log.critical("the daemon ends: %s", error)
        raise
    except Exception as error:
        name = type(error).__name__
        log.critical("the daemon ends: unexpected %s", name, exc_info=unquoted(error))
        raise


@contextmanager
def _alive(heartbeat: Heartbeat, books: Bookkeeper) -> Iterator[None]:
    """From the first heartbeat to the goodbye."""
    heartbeat.start()
    failed = True
    try:
        yield
        failed = False
    finally:
        # A transaction that is still under way must not claim after this.
        books.close()
        _say_goodbye(heartbeat, failed)
        log.info("stopped")


def _say_goodbye(heartbeat: Heartbeat, failed: bool) -> None:
    try:
        heartbeat.stop(failed)
    except QueueError as error:
        # No reason to fail, and no reason to hide why the daemon ends.
        log.error(
            "%s; its mail goes back once a daemon sees that this one is gone", error
        )


def _loop(main: Coroutine[Any, Any, Result]) -> Result:
    """Run on uvloop where it is installed (the extra `fast`)."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(main)
    answer: Result = uvloop.run(main)
    return answer
