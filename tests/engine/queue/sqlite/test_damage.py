"""A row whose text cannot be decoded harms nothing but itself."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing

import pytest

from collective.maildrophost.engine.message import compose
from collective.maildrophost.engine.queue import (
    RecipientState,
    Refused,
    Search,
    attempts,
    delete_messages,
    enqueue,
    list_messages,
    open_queue,
    search,
)
from collective.maildrophost.engine.queue.openrecipients import open_recipients
from collective.maildrophost.engine.queue.rounds import round_began


@pytest.fixture
def damaged(tmp_path):
    """A queue with a message whose recipient cannot be read."""
    mail = compose(b"Subject: x\n\ny\n", "a@x.org", ["b@x.org"], now=time.time())
    with closing(open_queue(f"sqlite:///{tmp_path}/queue.db")) as queue:
        with queue.write() as tx:
            enqueue(tx, [mail], time.time())
            tx.exec_driver_sql(
                "UPDATE maildrop_recipient SET address = CAST(X'ff4078' AS TEXT)"
            )
        yield queue


def test_a_damaged_address_leaves_no_transaction_open(damaged):
    # Held on to, as by whoever logs it.
    with pytest.raises(Refused) as met, damaged.write() as tx:
        open_recipients(tx, [1])
    with closing(sqlite3.connect(damaged.path, timeout=0.0)) as another:
        busy, *_ = another.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    assert not busy, "a checkpoint that waits keeps all others from writing"
    assert "Could not decode" in str(met.value)


@pytest.fixture
def beside(damaged):
    """The same with a whole message after it."""
    mail = compose(b"Subject: x\n\ny\n", "a@x.org", ["c@x.org"], now=time.time())
    with damaged.write() as tx:
        enqueue(tx, [mail], time.time() + 1)
    return damaged


def test_a_damaged_address_is_listed_as_such_and_hides_no_other(beside):
    with beside.read() as tx:
        listed = list_messages(tx)
        found = search(tx, Search(), 10).records
    assert tuple(listed) == found
    assert [each.recipients[0].address for each in listed] == [
        "(damaged) \\xff@x",
        "c@x.org",
    ]


def test_a_recipient_whose_state_is_damaged_is_shown_as_failed(damaged):
    with damaged.write() as tx:
        tx.exec_driver_sql("UPDATE maildrop_recipient SET state = CAST(X'fe' AS TEXT)")
        tx.exec_driver_sql("UPDATE maildrop_message SET subject = CAST(X'fe' AS TEXT)")
    with damaged.read() as tx:
        (listed,) = list_messages(tx)
    assert listed.recipients[0].state is RecipientState.FAILED
    assert listed.subject == "(damaged) \\xfe"


@pytest.mark.parametrize("state", ["'unheard'", "CAST(X'fe' AS TEXT)"])
def test_a_message_in_an_unknown_state_can_be_deleted_with_others(beside, state):
    with beside.write() as tx:
        first = "UPDATE maildrop_schedule SET state = {} WHERE message_id = 1"
        tx.exec_driver_sql(first.format(state))
    with beside.write() as tx:
        done = delete_messages(tx, ["1", "2"])
    assert done.changed == ("1", "2")


def test_damaged_attempts_are_shown_as_such(damaged):
    with damaged.write() as tx:
        tx.exec_driver_sql(
            "INSERT INTO maildrop_attempt VALUES "
            "(1, 1, 0, 0.0, 'relay:25', 'deferred', CAST(X'34ff' AS TEXT))"
        )
    with damaged.read() as tx:
        (made,) = attempts(tx, "1")
    assert (made.address, made.reply) == ("(damaged) \\xff@x", "(damaged) 4\\xff")


def test_to_list_a_damaged_address_does_not_make_it_one_to_send_to(damaged):
    with damaged.write() as tx:
        list_messages(tx)
        with pytest.raises(sqlite3.OperationalError, match="Could not decode"):
            open_recipients(tx, [1])


@pytest.mark.parametrize("newest", [0, 1])
def test_a_damaged_time_of_an_attempt_tells_nothing(damaged, newest):
    """Else its claim would fail again and again, and no other mail would go."""
    tries = [(1, 0, 5.0), (2, 0, "x"), (3, 1, 6.0)]
    with damaged.write() as tx:
        tx.exec_driver_sql("UPDATE maildrop_recipient SET state = 'deferred'")
        for attempt in tries[: 2 + newest]:
            tx.exec_driver_sql(
                "INSERT INTO maildrop_attempt VALUES (1, ?, ?, ?, '-', 'deferred', '')",
                attempt,
            )
        assert round_began(tx, 1, 9.0) == 9.0
