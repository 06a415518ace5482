"""A daemon's event loop at its worst moments: signals, a reload, files that stay."""

from __future__ import annotations

import asyncio
import math
import os
import signal
from dataclasses import replace
from types import SimpleNamespace

import pytest

from collective.maildrophost.engine.daemon.service import Service
from collective.maildrophost.engine.intake import Untaken
from collective.maildrophost.engine.queue import QueueError
from collective.maildrophost.engine.system import signals


class Told:
    """A systemd that keeps what it hears."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def stopping(self) -> None:
        self.heard.append("stopping")

    def reloading(self) -> None:
        self.heard.append("reloading")


@pytest.fixture
def systemd():
    return Told()


@pytest.fixture
def service(site, systemd):
    """A service whose loop a test runs itself."""
    ledger = SimpleNamespace(wake=lambda: None, in_flight=0, cannot_write=False)
    service = Service(
        site.configuration,
        site.queue,
        SimpleNamespace(ledger=ledger),
        SimpleNamespace(failing=False),
        SimpleNamespace(),
    )
    service._systemd = systemd
    return service


def test_a_signal_that_comes_as_the_handlers_go_is_heard(service):
    async def last_moment() -> bool:
        async with service._heeding_signals():
            os.kill(os.getpid(), signal.SIGHUP)
        return service._reload._asked.is_set()

    with signals.kept_waiting():
        assert asyncio.run(last_moment())


def test_systemd_is_told_of_a_stop_amid_a_reload(service, systemd):
    service._go_on_with(service._configuration)
    service._stop()
    assert systemd.heard == ["reloading", "stopping"]


def test_a_stop_before_the_new_configuration_is_read_is_a_stop(service, systemd):
    service._stop()
    service._go_on_with(service._configuration)
    assert service._reloaded is None
    assert systemd.heard == []


def test_a_ring_has_mail_looked_for_whatever_its_senders_clock_says(service):
    service._wake()
    assert service._fast_clocks._news.is_set()


def test_a_second_signal_gives_a_stop_no_more_time(service):
    """A supervisor that has lost its patience kills, see QUEUE_SECONDS."""
    service._stop()
    latest = service._queue.latest
    service._stop()
    assert service._queue.latest == latest < math.inf


def test_a_reload_that_the_end_breaks_off_is_not_forgotten(service, monkeypatch):
    """The configuration is read once the loop has ended, see `Service.run`."""
    reload = service._reload

    async def broken_off() -> None:
        begun = asyncio.Event()

        async def load() -> None:
            begun.set()
            await asyncio.sleep(3600)

        with monkeypatch.context() as patched:
            patched.setattr(reload, "_load", load)
            reload.ask()
            loading = asyncio.create_task(reload.run(service._go_on_with))
            await begun.wait()
            loading.cancel()
            await asyncio.gather(loading, return_exceptions=True)
        assert await reload.late() == service._configuration

    asyncio.run(broken_off())


@pytest.mark.parametrize("sign", ["no heartbeat", "no verdicts"])
def test_no_reload_goes_on_with_a_queue_that_cannot_be_written(service, sign):
    service._heartbeat.failing = sign == "no heartbeat"
    service._delivery.ledger.cannot_write = sign == "no verdicts"
    with pytest.raises(QueueError, match="what waits for it would be lost"):
        service._reload._check_verdicts_are_written(service._configuration)
    another = replace(service._configuration, queue="sqlite:////srv/mail/queue.db")
    service._reload._check_verdicts_are_written(another)


def test_a_file_that_cannot_be_taken_fails_a_run_after_all_other_mail(service):
    delivered = []

    def scan() -> None:
        raise Untaken("the queue", "it is too large")

    async def deliver() -> None:
        delivered.append(1)

    service._scanner._intake = SimpleNamespace(scan=scan, waits=False)
    service._delivery = SimpleNamespace(run=deliver)
    with pytest.raises(Untaken, match="too large"):
        asyncio.run(service._take_in_and_deliver())
    assert delivered
