"""The bookkeeper: an orphan claims nothing, errors keep their meaning."""

from __future__ import annotations

import asyncio
import logging
import pickle
import sqlite3
import threading
import time
from dataclasses import replace

import pytest
from engine.delivery.writing import settled
from waiting import PATIENCE_SECONDS, wait_until

from collective.maildrophost.engine.delivery import books
from collective.maildrophost.engine.delivery.bookkeeper import (
    BookkeeperGone,
    bookkeeper,
)
from collective.maildrophost.engine.delivery.books import (
    Request,
    write,
    write_or_refuse,
)
from collective.maildrophost.engine.delivery.inflight import InFlight
from collective.maildrophost.engine.delivery.terms import Terms
from collective.maildrophost.engine.message import Lane, compose
from collective.maildrophost.engine.queue import (
    QueueError,
    Refused,
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
        in_flight=InFlight(),
        terms=Terms("relay:25"),
    )


def accepted(queue):
    """A message with its acceptance."""
    with queue.write() as tx:
        (oldest,) = next(filter(None, due(tx, 1, NOW).lanes.values()))
        (found,) = claim(tx, "me", [oldest], NOW)
    verdicts = ((0, Verdict(Outcome.SENT, "250 2.0.0 Ok")),)
    return settled(found, verdicts, NOW)


def state_of(queue, id):
    with queue.read() as tx:
        return get_message(tx, str(id)).state


def test_a_bookkeeper_that_lost_its_daemon_writes_verdicts_but_claims_nothing(queue):
    settlement = accepted(queue)
    answer = write(queue, request(2, settlement), orphaned=lambda: True)
    assert answer.claims == []
    with queue.read() as tx:
        assert get_message(tx, str(settlement.id)).state is State.SENT
    assert len(write(queue, request(2)).claims) == 2


def test_what_goes_back_is_claimed_again_and_a_suspect_behind_all_others(queue):
    suspect, untried, unheard = write(queue, request(3)).claims
    known = suspect.key, untried.key
    back = replace(
        request(0, known=known), suspects=[suspect.key], untried=[untried.key]
    )
    for part in replace(back, suspects=[]), replace(back, untried=[]):
        assert part.writes
    write(queue, back)
    again = write(queue, replace(request(3), due_before=NOW + 1)).claims
    assert [each.id for each in again] == [untried.id, unheard.id, suspect.id]


def test_whether_the_daemon_lives_is_asked_while_nobody_else_can_write(queue):
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


def test_a_stop_that_waits_for_a_transaction_says_so(queue, caplog):
    caplog.set_level(logging.INFO, "maildrop.delivery")
    with bookkeeper(queue) as keeper:
        other = sqlite3.connect(
            queue.path, isolation_level=None, check_same_thread=False
        )
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(asyncio.TimeoutError):
            asyncio.run(asyncio.wait_for(keeper(request(1)), 0.3))
        ending = threading.Thread(target=keeper.close)
        ending.start()
        wait_until(
            lambda: "the daemon waits for that before it ends" in caplog.text,
            what="why it lasts",
        )
        assert ending.is_alive()
        other.close()
        ending.join(PATIENCE_SECONDS)
        assert not ending.is_alive()
    assert caplog.text.count("the daemon waits for that") == 1, "though closed twice"


def test_a_bookkeeper_that_is_left_behind_writes_verdicts_but_claims_nothing(queue):
    """Though the daemon has not ended yet: its last moments are after this."""
    settlement = accepted(queue)
    with bookkeeper(queue) as keeper:
        other = sqlite3.connect(queue.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(asyncio.TimeoutError):
            asyncio.run(asyncio.wait_for(keeper(request(2, settlement)), 0.3))
        queue.wait_until(time.monotonic())
        keeper.close()
        other.close()
        wait_until(lambda: state_of(queue, settlement.id) is State.SENT, what="it")
    with queue.read() as tx:
        assert len(due(tx, 5, NOW).lanes[Lane.NORMAL]) == 2


def test_a_stop_that_waits_for_nothing_says_nothing(queue, caplog):
    caplog.set_level(logging.INFO, "maildrop.delivery")
    with bookkeeper(queue) as _unasked, bookkeeper(queue) as keeper:
        asyncio.run(keeper(request(1)))
        with pytest.raises(QueueError):
            asyncio.run(keeper(request(0, notes=(fail,))))
    assert caplog.records == []


OF_A_MAIL = "sesame-7"
MISSING = KeyError(OF_A_MAIL)
NO_TEXT = UnicodeEncodeError("utf-8", OF_A_MAIL, 0, 1, OF_A_MAIL)


def break_down(tx):
    raise ZeroDivisionError(OF_A_MAIL)


@pytest.fixture
def claims_break(monkeypatch):
    """Has every claim raise an error."""

    def with_error(error):
        def claim(*given):
            raise error

        monkeypatch.setattr(books, "claim", claim)

    return with_error


def test_a_request_that_breaks_is_refused_and_the_process_goes_on(queue):
    settlement = accepted(queue)

    async def ask(keeper):
        with pytest.raises(Refused, match="unexpected ZeroDivisionError") as caught:
            await keeper(request(5, settlement, notes=(break_down,)))
        assert OF_A_MAIL not in str(caught.value)
        with queue.read() as tx:
            assert get_message(tx, str(settlement.id)).state is State.SENDING
            assert len(due(tx, 5, NOW).lanes[Lane.NORMAL]) == 2, "nothing is claimed"
        return (await keeper(request(5, settlement))).claims

    with bookkeeper(queue) as keeper:
        assert len(asyncio.run(ask(keeper))) == 2
    with queue.read() as tx:
        assert get_message(tx, str(settlement.id)).state is State.SENT


def test_where_a_request_broke_is_logged_without_the_words_of_the_error(queue, caplog):
    with pytest.raises(Refused):
        write_or_refuse(queue, request(0, notes=(break_down,)))
    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert "in break_down" in caplog.text
    assert OF_A_MAIL not in caplog.text


@pytest.mark.parametrize("error", [MISSING, NO_TEXT])
def test_claims_that_break_cost_no_verdict(queue, claims_break, error):
    settlement = accepted(queue)
    claims_break(error)
    answer = write_or_refuse(queue, request(5, settlement))
    assert (answer.claims, answer.broke) == ([], True)
    with queue.read() as tx:
        assert get_message(tx, str(settlement.id)).state is State.SENT


def test_claims_that_break_with_nothing_to_write_end_the_process(queue, claims_break):
    claims_break(MISSING)
    with bookkeeper(queue) as keeper, pytest.raises(BookkeeperGone):
        asyncio.run(keeper(request(5)))


def test_what_ends_the_process_is_logged_with_its_place(queue, claims_break, tmp_path):
    claims_break(KeyError(OF_A_MAIL))
    handler = logging.FileHandler(tmp_path / "log")
    logger = logging.getLogger("maildrop")
    logger.addHandler(handler)
    try:
        with bookkeeper(queue) as keeper, pytest.raises(BookkeeperGone):
            asyncio.run(keeper(request(5)))
    finally:
        logger.removeHandler(handler)
        handler.close()
    text = (tmp_path / "log").read_text()
    assert "KeyError" in text
    assert "in claim\n" in text
    assert OF_A_MAIL not in text


def die(tx):
    raise SystemExit


def test_a_request_that_kills_the_process_is_told_apart_from_one_that_failed(queue):
    with bookkeeper(queue) as keeper:
        for _ in ("it dies", "it is dead"):
            with pytest.raises(BookkeeperGone):
                asyncio.run(keeper(request(0, notes=(die,))))
