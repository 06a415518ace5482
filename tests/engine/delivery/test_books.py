"""The bookkeeper: an orphan claims nothing, errors keep their meaning."""

from __future__ import annotations

import asyncio
import pickle
import sqlite3

import pytest

from collective.maildrophost.engine.delivery.bookkeeper import (
    BookkeeperGone,
    bookkeeper,
)
from collective.maildrophost.engine.delivery.books import Request, write
from collective.maildrophost.engine.delivery.together import Terms
from collective.maildrophost.engine.message import compose
from collective.maildrophost.engine.queue import (
    QueueError,
    Refused,
    Settlement,
    State,
    claim,
    due,
    enqueue,
    get_message,
    open_queue,
)
from collective.maildrophost.engine.verdict import Outcome, Verdict

NOW = 1_800_000_000.0


@pytest.fixture
def queue(tmp_path):
    queue = open_queue(f"sqlite:///{tmp_path}/queue.db")
    mail = compose(b"Subject: x\n\ny\n", "a@x.org", ["b@x.org"], now=NOW)
    with queue.write() as tx:
        enqueue(tx, [mail] * 3, NOW)
    yield queue
    queue.close()


def request(wanted, *settlements, notes=(), known=None):
    return Request(
        owner="me",
        known=known,
        settlements=list(settlements),
        untried=[],
        suspects=[],
        failures=0,
        notes=notes,
        now=NOW,
        wanted=wanted,
        due_before=NOW,
        round=1,
        concurrency=10,
        in_flight={},
        terms=Terms("relay:25"),
    )


def accepted(queue):
    """A message with its acceptance."""
    with queue.write() as tx:
        (oldest,) = next(filter(None, due(tx, 1, NOW).values()))
        (found,) = claim(tx, "me", [oldest], NOW)
    verdicts = ((0, Verdict(Outcome.SENT, "250 2.0.0 Ok")),)
    return Settlement(found.id, "me", "relay:25", verdicts, NOW, False)


def test_who_has_lost_its_daemon_writes_verdicts_but_claims_nothing(queue):
    settlement = accepted(queue)
    answer = write(queue, request(2, settlement), orphaned=lambda: True)
    assert answer.claims == []
    with queue.read() as tx:
        assert get_message(tx, str(settlement.id)).state is State.SENT
    assert len(write(queue, request(2)).claims) == 2


def test_it_is_asked_whether_the_daemon_lives_when_nobody_else_can_write(queue):
    def orphaned():
        # What takes its mail over has to wait for this lock.
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        return True

    other = sqlite3.connect(queue.path, timeout=0.0, isolation_level=None)
    assert write(queue, request(2), orphaned).claims == []
    other.close()


def refuse(tx):
    tx.exec_driver_sql("INSERT INTO maildrop_held_lane VALUES (NULL)")


def fail(tx):
    tx.exec_driver_sql("SELECT * FROM nowhere")


def test_answers_and_errors_come_over_from_the_process_as_they_are(queue):
    settlement = accepted(queue)

    async def ask(keeper):
        claims = (await keeper(request(5, settlement))).claims
        with pytest.raises(Refused, match="NOT NULL"):
            await keeper(request(0, notes=(refuse,)))
        with pytest.raises(QueueError, match="nowhere") as caught:
            await keeper(request(0, notes=(fail,)))
        assert not isinstance(caught.value, Refused)
        assert caught.value.queue == queue.name
        return claims

    with bookkeeper(queue) as keeper:
        claims = asyncio.run(ask(keeper))
    assert len(claims) == 2
    assert all(each.content.endswith(b"Subject: x\n\ny\n") for each in claims)
    assert all(each == pickle.loads(pickle.dumps(each)) for each in claims)
    with queue.read() as tx:
        assert get_message(tx, str(settlement.id)).state is State.SENT
        assert [get_message(tx, str(each.id)).state for each in claims] == [
            State.SENDING
        ] * 2


def die(tx):
    raise SystemExit


def test_a_request_that_kills_it_is_told_from_one_that_failed(queue):
    with bookkeeper(queue) as keeper, pytest.raises(BookkeeperGone):
        asyncio.run(keeper(request(0, notes=(die,))))
