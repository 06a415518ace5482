"""A row that a forgotten session has locked holds up nothing but itself."""

from __future__ import annotations

import asyncio
import time

import pytest
from daemons import daemon_seen, rows
from sqlalchemy import create_engine, text
from waiting import until

from collective.maildrophost.engine.daemon import heartbeat as module
from collective.maildrophost.engine.daemon.heartbeat import Heartbeat
from collective.maildrophost.engine.queue import (
    State,
    claim,
    enqueue,
    get_message,
    register,
)
from collective.maildrophost.engine.queue.postgresql import database
from collective.maildrophost.engine.system.identity import process_identity

GONE = process_identity().rpartition(" ")[0] + " 1"
"""A process that had the id of this one before."""


@pytest.fixture(autouse=True)
def no_patience(queue, monkeypatch):
    """A wait for a lock fails almost at once, and not after twenty seconds."""
    hurried = database.BEGIN_WRITE._statement.text.replace("20s", "50ms")
    monkeypatch.setattr(
        queue.database, "begin_write", database.Statement(text(hurried))
    )


@pytest.fixture
def session(queue):
    """One that somebody has opened and forgotten; it may lock something."""
    engine = create_engine(queue.url)
    with engine.connect() as session:
        yield session
    engine.dispose()


@pytest.fixture
def dead(queue, make_mail):
    """Leaves a daemon behind that is gone; the ids of the mail that it has."""

    def leave(owner, mails=1):
        long_ago = time.time() - 3600
        with queue.write() as tx:
            register(tx, daemon_seen(long_ago, owner=owner, process=GONE))
            ids = enqueue(tx, [make_mail()] * mails, long_ago)
            claim(tx, owner, list(map(int, ids)), long_ago)
        return ids

    return leave


def states(queue, ids):
    with queue.read() as tx:
        return [get_message(tx, id).state for id in ids]


def owners(queue):
    return [each.owner for each in rows(queue)]


def test_a_daemon_that_starts_leaves_a_daemon_alone_whose_row_is_locked(
    queue, session, dead, caplog
):
    (locked,), (free,) = dead("locked"), dead("free")
    session.execute(
        text("SELECT 1 FROM maildrop_daemon WHERE owner = 'locked' FOR UPDATE")
    )
    heartbeat = Heartbeat(queue, "relay:25", "/nowhere")
    heartbeat.start()
    assert owners(queue) == ["locked", heartbeat.owner]
    assert states(queue, [locked, free]) == [State.SENDING, State.QUEUED]
    assert caplog.text.count("is gone: its mail goes on here") == 1


@pytest.mark.parametrize("large", [False, True])
def test_the_other_mail_of_a_dead_daemon_goes_on(queue, session, dead, large):
    ids = dead("dead", 3)
    if large:
        session.execute(
            text(
                "UPDATE maildrop_schedule SET possible_duplicate = true; "
                "UPDATE maildrop_message SET size = 5000000"
            )
        )
        session.commit()
    session.execute(
        text(f"SELECT 1 FROM maildrop_schedule WHERE message_id = {ids[1]} FOR UPDATE")
    )
    heartbeat = Heartbeat(queue, "relay:25", "/nowhere")
    heartbeat.start()
    assert owners(queue) == [heartbeat.owner]
    assert states(queue, ids) == [State.QUEUED, State.SENDING, State.QUEUED]


def test_mail_that_was_locked_goes_on_afterwards_and_the_log_says_why_it_waited(
    queue, session, dead, caplog, monkeypatch
):
    ids = [*dead("locked"), *dead("dead")]
    session.execute(
        text("SELECT 1 FROM maildrop_daemon WHERE owner = 'locked' FOR UPDATE")
    )
    session.execute(
        text(f"SELECT 1 FROM maildrop_schedule WHERE message_id = {ids[1]} FOR UPDATE")
    )
    monkeypatch.setattr(module, "RENEW_SECONDS", 0.01)
    heartbeat = Heartbeat(queue, "relay:25", "/nowhere")
    heartbeat.start()

    async def until_it_goes_on() -> None:
        running = asyncio.create_task(heartbeat.run())
        await until(lambda: "locks what was theirs" in caplog.text, "a word of it")
        assert states(queue, ids) == [State.SENDING] * 2
        session.rollback()
        await until(lambda: states(queue, ids) == [State.QUEUED] * 2, "its release")
        running.cancel()

    asyncio.run(until_it_goes_on())
    assert caplog.text.count("mail of daemons that are gone waits for that") == 1
    assert owners(queue) == [heartbeat.owner]
