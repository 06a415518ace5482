"""A daemon goes on listening, whatever cuts it off, and says so where it matters."""

from __future__ import annotations

import asyncio

import pytest

from collective.maildrophost.engine.daemon import listener
from collective.maildrophost.engine.daemon.listener import listen as keep_listening
from collective.maildrophost.engine.queue import QueueError


class Ends(Exception):
    """All rounds are over."""


class CutOff:
    """A queue whose listener is cut off again and again."""

    def __init__(self, *rounds):
        """How many rings are heard in each round, until it breaks."""
        self._rounds = list(rounds)

    async def rings(self):
        if not self._rounds:
            raise Ends
        for _ in range(self._rounds.pop(0)):
            yield
        raise QueueError("the queue", "it broke")


class Silent(CutOff):
    """One that breaks after each twenty seconds of silence."""

    now = 0.0

    async def rings(self):
        async for ring in super().rings():
            yield ring
            self.now += 20


@pytest.fixture
def slept(monkeypatch):
    """The pauses, which take no time here."""
    pauses, asleep = [], asyncio.sleep

    async def sleep(seconds):
        pauses.append(seconds)
        await asleep(0)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return pauses


@pytest.fixture
def listen(monkeypatch, caplog, slept):
    caplog.set_level("INFO", "maildrop.daemon")

    def listen(*rounds, steady):
        """What is logged, and how often the daemon looked."""
        monkeypatch.setattr(listener, "STEADY_SECONDS", steady)
        woken = []
        with pytest.raises(Ends):
            asyncio.run(keep_listening(CutOff(*rounds), lambda: woken.append(1)))
        return [record.levelname for record in caplog.records], len(woken)

    return listen


def test_a_listener_that_was_cut_off_for_its_silence_just_listens_again(listen, slept):
    """A proxy, or idle_session_timeout, does that each time."""
    assert listen(1, 1, 2, steady=0) == ([], 4)
    assert slept == [0.5] * 3


def test_a_proxy_may_cut_a_listener_off_every_twenty_seconds(
    monkeypatch, caplog, slept
):
    queue = Silent(*[1] * 9)
    monkeypatch.setattr(listener, "monotonic", lambda: queue.now)
    with pytest.raises(Ends):
        asyncio.run(keep_listening(queue, lambda: None))
    assert caplog.records == []
    assert slept == [0.5] * 9


def test_a_queue_that_breaks_off_several_times_is_reported_once(listen):
    assert listen(1, 0, 0, 1, steady=0) == (["WARNING", "INFO"], 2)


def test_a_queue_that_breaks_off_at_once_is_reported_and_asked_ever_less_often(
    listen, slept
):
    assert listen(1, 1, steady=60) == (["WARNING", "INFO", "WARNING"], 2)
    assert slept == [0.5, 1.0]
