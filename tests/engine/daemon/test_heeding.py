"""Signals that come at the worst moment of a daemon's loop are heeded all the same."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace
from types import SimpleNamespace

import pytest

from collective.maildrophost.engine import signals
from collective.maildrophost.engine.daemon.service import Service
from collective.maildrophost.engine.queue import QueueError


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
    ledger = SimpleNamespace(wake=lambda: None, in_flight=0)
    return Service(
        site.configuration,
        site.queue,
        SimpleNamespace(ledger=ledger),
        SimpleNamespace(stop=lambda: None),
        SimpleNamespace(),
        SimpleNamespace(),
        systemd,
    )


def test_a_signal_that_comes_as_the_handlers_go_is_heard(service):
    async def last_moment() -> bool:
        async with service._heeding_signals():
            os.kill(os.getpid(), signal.SIGHUP)
        return service._told_to_reload.is_set()

    with signals.kept_waiting():
        assert asyncio.run(last_moment())


def test_a_stop_amid_a_reload_is_told_to_systemd(service, systemd):
    service._reloaded = service._configuration
    service._stop()
    assert systemd.heard == ["stopping"]


def test_a_stop_before_the_new_configuration_is_read_is_a_stop(
    service, systemd, monkeypatch
):
    async def load():
        service._stop()
        service._told_to_end.clear()
        return service._configuration

    async def reload() -> None:
        monkeypatch.setattr(service, "_load", load)
        service._told_to_reload.set()
        reloading = asyncio.create_task(service._reload())
        while not service._told_to_stop:
            await asyncio.sleep(0)
        reloading.cancel()

    asyncio.run(reload())
    assert service._reloaded is None
    assert systemd.heard == []


def test_a_reload_that_the_end_breaks_off_is_not_forgotten(service, monkeypatch):
    """The configuration is read once the loop has ended, see `Service.run`."""
    begun = asyncio.Event()

    async def load() -> None:
        begun.set()
        await asyncio.sleep(3600)

    async def broken_off() -> None:
        monkeypatch.setattr(service, "_load", load)
        service._told_to_reload.set()
        reloading = asyncio.create_task(service._reload())
        await begun.wait()
        assert not service._told_to_reload.is_set()
        reloading.cancel()
        await asyncio.gather(reloading, return_exceptions=True)

    asyncio.run(broken_off())
    assert service._told_to_reload.is_set()


@pytest.mark.parametrize("sign", ["no heartbeat", "no verdicts"])
def test_no_reload_goes_on_with_a_queue_that_cannot_be_written(service, sign):
    service._heartbeat.failing = sign == "no heartbeat"
    service._delivery.ledger.cannot_write = sign == "no verdicts"
    with pytest.raises(QueueError, match="what waits for it would be lost"):
        service._check_verdicts_are_written(service._configuration)
    another = replace(service._configuration, queue="sqlite:////srv/mail/queue.db")
    service._check_verdicts_are_written(another)
