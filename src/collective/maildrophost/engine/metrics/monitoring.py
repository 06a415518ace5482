"""The daemon's answers to its watchers: /metrics and /health on MAILDROP_METRICS."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus

from ..config import Configuration, ConfigurationError
from ..delivery.finished import Finished
from ..queue import Health, Queue, QueueError, unreadable
from .exposition import CONTENT_TYPE, Exposition
from .figures import Reader
from .gauges import Gauge, gauges
from .http import Page, listening, plain
from .library import check_library

log = logging.getLogger("maildrop.metrics")

AGAIN_SECONDS = 15.0
"""Until an address that could not be bound is tried again."""
JSON = "application/json"


class Monitoring:
    """A side task of the daemon. Nothing that goes wrong in it touches the mail."""

    def __init__(
        self,
        configuration: Configuration,
        queue: Queue,
        owner: str,
        in_flight: Callable[[], int],
    ) -> None:
        assert configuration.metrics is not None, "nobody is to be answered"
        self._address = configuration.metrics
        self._owner = owner
        self._reader = Reader(queue)
        self._in_flight = in_flight
        self._exposition = self._exposed(configuration)

    def observe(self, finished: Finished, now: float) -> None:
        """Count what was settled at the time `now`."""
        if self._exposition is not None:
            self._exposition.observe(finished, now)

    async def run(self) -> None:
        """Answer until cancelled."""
        failing = False
        while True:
            host, port = self._address.host, self._address.port
            try:
                async with listening(host, port, self._answer):
                    log.info("metrics and health on http://%s/", self._address)
                    await asyncio.Event().wait()
            except OSError as error:
                if not failing:
                    log.error(
                        "MAILDROP_METRICS %s: %s; mail goes on, tried again every "
                        "%.0f s",
                        self._address,
                        error.strerror or error,
                        AGAIN_SECONDS,
                    )
                failing = True
                await asyncio.sleep(AGAIN_SECONDS)

    def _exposed(self, configuration: Configuration) -> Exposition | None:
        try:
            check_library(configuration)
        except ConfigurationError as error:
            log.error("%s", error)
            return None
        return Exposition(self._gauges)

    async def _answer(self, path: str) -> Page:
        if path == "/health":
            return await asyncio.to_thread(self._health)
        if path == "/metrics":
            return await asyncio.to_thread(self._metrics)
        return plain(HTTPStatus.NOT_FOUND, "there are /metrics and /health")

    def _metrics(self) -> Page:
        if self._exposition is None:
            return plain(
                HTTPStatus.NOT_IMPLEMENTED,
                "install collective.maildrophost[metrics], restart the daemon",
            )
        return Page(HTTPStatus.OK, CONTENT_TYPE, self._exposition.text())

    def _health(self) -> Page:
        """200 while this daemon works, even when its relay is at fault.

        No restart and no other machine would cure the relay: the body tells of it.
        """
        now = time.time()
        try:
            figures = self._reader.look(now)
        except QueueError as error:
            return _health_page(False, unreadable(error.reason))
        works = any(each.owner == self._owner for each in figures.vitals.daemons)
        return _health_page(works, figures.health)

    def _gauges(self) -> Iterator[Gauge]:
        figures = None
        try:
            figures = self._reader.look(time.time())
        except QueueError as error:
            log.warning("%s; metrics without the queue's figures", error)
        return gauges(figures, self._in_flight())


def _health_page(works: bool, health: Health) -> Page:
    status = HTTPStatus.OK if works else HTTPStatus.SERVICE_UNAVAILABLE
    told = {"working": works, **health.as_json()}
    return Page(status, JSON, json.dumps(told, indent=2).encode() + b"\n")
