"""A daemon looks for mail of fast clocks, whatever befalls the queue meanwhile."""

from __future__ import annotations

import asyncio
import logging
import time
from types import SimpleNamespace

import pytest
from waiting import until

from collective.maildrophost.engine.daemon import fastclocks
from collective.maildrophost.engine.daemon.fastclocks import (
    AGAIN_SECONDS,
    TELL_SECONDS,
    FastClocks,
)
from collective.maildrophost.engine.queue import QueueError, enqueue
from collective.maildrophost.engine.queue.fastclocks import FromAhead


class Looks:
    """What is asked of the queue, which can be out of order."""

    def __init__(self) -> None:
        self.now = 0.0
        self.ahead = FromAhead(0, 0.0)
        self.broken = False
        self.asked: list[tuple[int, int]] = []

    def pull_back_new(self, queue, now: float, after: int, newest: int) -> FromAhead:
        # In a thread: a story goes on as soon as it sees that something was asked.
        broken = self.broken
        self.asked.append((after, newest))
        if broken:
            raise QueueError("the queue", "is locked")
        return self.ahead

    async def more(self) -> None:
        enough = len(self.asked) + 3
        await until(lambda: len(self.asked) >= enough, "three more looks")


@pytest.fixture
def looks(monkeypatch):
    looks = Looks()
    clock = SimpleNamespace(time=lambda: 1e9 + looks.now, monotonic=lambda: looks.now)
    monkeypatch.setattr(fastclocks, "time", clock)
    monkeypatch.setattr(fastclocks, "pull_back_new", looks.pull_back_new)
    monkeypatch.setattr(fastclocks, "LOOK_SECONDS", 0.001)
    return looks


def looking(queue, story) -> list[int]:
    """Run `story` while a daemon looks; how often it was woken for mail."""
    woken: list[int] = []

    async def look() -> None:
        running = asyncio.create_task(
            FastClocks(queue, 0.001, lambda: woken.append(1)).run()
        )
        await story()
        assert not running.done()
        running.cancel()

    asyncio.run(look())
    return woken


def test_a_queue_that_cannot_be_read_at_first_ends_no_daemon(
    queue, make_mail, monkeypatch, caplog
):
    monkeypatch.setattr(fastclocks, "LOOK_SECONDS", 0.01)
    with queue.write() as tx:
        enqueue(tx, [make_mail()], time.time() + 3600)
    away = queue.path.with_suffix(".away")
    queue.path.rename(away)

    async def look_until_it_is_back() -> None:
        due = asyncio.Event()
        looking = asyncio.create_task(FastClocks(queue, 0.01, due.set).run())
        await until(lambda: caplog.records, "a word of the trouble")
        away.rename(queue.path)
        await until(due.is_set, "the daemon woken")
        looking.cancel()

    with caplog.at_level(logging.ERROR, "maildrop.daemon"):
        asyncio.run(look_until_it_is_back())
    assert "mail may wait for its sender's clock" in caplog.text


def test_what_comes_while_the_queue_is_out_of_order_is_looked_at_afterwards(
    queue, looks, make_mail, caplog
):
    async def story():
        for _ in range(2):
            looks.broken = True
            await looks.more()
            (seen, _) = looks.asked[-1]
            with queue.write() as tx:
                (id,) = enqueue(tx, [make_mail()], 1e9)
            await looks.more()
            looks.broken = False
            looks.asked.clear()
            await looks.more()
            assert looks.asked[0] == (seen, int(id))
            assert looks.asked[-1] == (int(id), int(id)), "each is looked at once"

    with caplog.at_level(logging.ERROR, "maildrop.daemon"):
        looking(queue, story)
    told = [each for each in caplog.records if "sender's clock" in each.message]
    assert len(told) == 2, "each trouble is told of once"


def test_mail_with_an_id_that_was_given_before_is_looked_at(queue, looks, make_mail):
    """A standby took over that had not heard of the last, or a backup was restored."""

    async def story():
        with queue.write() as tx:
            enqueue(tx, [make_mail()] * 9, 1e9)
        for _ in range(3):
            await looks.more()
            looks.now += AGAIN_SECONDS
        lost = "DELETE FROM maildrop_message WHERE id > 5"
        forgotten = "UPDATE sqlite_sequence SET seq = 5"
        looks.asked.clear()
        with queue.write() as tx:
            tx.exec_driver_sql(lost)
            tx.exec_driver_sql(forgotten)
            assert enqueue(tx, [make_mail()], 1e9) == ("6",)
        await looks.more()
        assert any(after < 6 == newest for after, newest in looks.asked)

    looking(queue, story)


def test_the_second_look_begins_no_later_where_the_newest_mail_is_deleted(
    queue, looks, make_mail, monkeypatch
):
    """What was written before the first look may be committed only now."""
    monkeypatch.setattr(fastclocks, "BEFORE", 1)

    async def story():
        await looks.more()
        with queue.write() as tx:
            enqueue(tx, [make_mail()] * 9, 1e9)
        await looks.more()
        with queue.write() as tx:
            tx.exec_driver_sql("DELETE FROM maildrop_message WHERE id = 9")
        await looks.more()
        looks.asked.clear()
        looks.now += AGAIN_SECONDS
        await looks.more()
        assert (0, 8) in looks.asked

    looking(queue, story)


def test_a_clock_that_stays_ahead_is_reported_once_an_hour(queue, looks, caplog):
    warnings: list[int] = []

    async def story():
        looks.ahead = FromAhead(1, 7.0)
        for now in (0.0, TELL_SECONDS - 1, TELL_SECONDS, 2 * TELL_SECONDS - 1):
            looks.now = now
            await looks.more()
            warnings.append(caplog.text.count("clock that is 7 s ahead"))

    assert looking(queue, story), "its mail is due"
    assert warnings == [1, 1, 2, 2]


def test_nobody_is_woken_for_mail_of_a_clock_that_is_right(queue, looks):
    assert looking(queue, looks.more) == []
