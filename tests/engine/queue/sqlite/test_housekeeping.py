"""Neither the WAL nor the file of a queue stays large for good; nobody waits for it."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest

from collective.maildrophost.engine import actions, crowd
from collective.maildrophost.engine.queue import (
    QueueError,
    Search,
    State,
    delete_messages,
    tidy,
)
from collective.maildrophost.engine.queue.sqlite import housekeeping as module
from collective.maildrophost.engine.queue.sqlite.housekeeping import room, wal_bytes

LARGE = "x" * 100_000


@pytest.fixture
def emptied(queue, hands, monkeypatch):
    """A queue that was much larger than it is now."""
    monkeypatch.setattr(module, "SPARE_PAGES", 100)
    ids = [hands.send(hands.mail(subject=LARGE[:9] + str(n)))[0] for n in range(20)]
    with queue.write() as tx:
        tx.exec_driver_sql(
            "UPDATE maildrop_content SET data = ?", (LARGE.encode() * 2,)
        )
    hands.do(delete_messages, ids[1:])
    checkpoint(queue)
    return queue


@pytest.fixture
def patience(monkeypatch):
    """How long each step waits for a lock at most, in milliseconds."""
    found, connect = [], module.connect

    def connected(*arguments, **options):
        connection = connect(*arguments, **options)
        found.extend(*connection.execute("PRAGMA busy_timeout"))
        return connection

    monkeypatch.setattr(module, "connect", connected)
    return found


def checkpoint(queue) -> None:
    with contextlib.closing(sqlite3.connect(queue.path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def until_done(queue) -> int:
    """The number of steps that it takes."""
    steps = 1
    while tidy(queue):
        steps += 1
        assert steps < 1000
    return steps


def test_a_file_that_is_gone_is_not_made_anew(queue):
    queue.close()
    away = queue.path.rename(queue.path.with_suffix(".away"))
    with pytest.raises(QueueError):
        tidy(queue)
    assert not queue.path.exists()
    away.rename(queue.path)
    assert not tidy(queue)


def test_the_file_shrinks_in_short_steps(emptied, hands):
    before, size = room(emptied), emptied.path.stat().st_size
    steps = until_done(emptied)
    after = room(emptied)
    assert steps >= (before.pages - after.pages) // module.STEP_PAGES > 1
    assert after.pages_to_spare <= 0
    assert emptied.path.stat().st_size < size / 2
    assert hands.message(1).state is State.QUEUED


def test_the_file_shrinks_once_a_reader_in_the_way_has_ended(emptied):
    size = emptied.path.stat().st_size
    with emptied.read() as tx:
        tx.exec_driver_sql("SELECT count(*) FROM maildrop_message").scalar()
        while room(emptied).pages_to_spare > 0:
            assert tidy(emptied) is True
        assert tidy(emptied) is True, "the file is as long as ever"
        assert emptied.path.stat().st_size == size
    assert tidy(emptied) is False
    assert emptied.path.stat().st_size < size / 2


def test_the_last_step_is_done_later_when_a_writer_was_in_its_way(emptied, monkeypatch):
    monkeypatch.setattr(module, "STEP_PAGES", 10**6)
    with contextlib.closing(sqlite3.connect(emptied.path, isolation_level=None)) as by:
        by.execute("BEGIN IMMEDIATE")
        assert tidy(emptied) is True
        by.execute("COMMIT")
    until_done(emptied)
    assert room(emptied).pages_to_spare <= 0


def test_what_is_likely_to_be_used_again_is_kept(emptied, monkeypatch):
    monkeypatch.setattr(module, "SPARE_PAGES", 10**6)
    before = room(emptied).pages
    assert tidy(emptied) is False
    assert room(emptied).pages == before


def test_a_writer_is_not_waited_for_and_goes_on(emptied, patience):
    before = room(emptied).pages
    with contextlib.closing(sqlite3.connect(emptied.path, isolation_level=None)) as by:
        by.execute("BEGIN IMMEDIATE")
        assert tidy(emptied) is True
        by.execute("COMMIT")
    assert set(patience) == {0}
    assert room(emptied).pages == before


def test_a_program_that_lets_nobody_read_is_not_waited_for_either(emptied, patience):
    emptied.close()
    with contextlib.closing(sqlite3.connect(emptied.path, isolation_level=None)) as by:
        by.execute("PRAGMA locking_mode = EXCLUSIVE")
        by.execute("BEGIN EXCLUSIVE")
        assert tidy(emptied) is True, "else nobody comes back for ten minutes"
    assert set(patience) == {0}
    until_done(emptied)
    assert room(emptied).pages_to_spare <= 0


def test_a_large_wal_is_put_into_the_database(queue, hands, monkeypatch):
    hands.send()
    monkeypatch.setattr(module, "LARGE_WAL_BYTES", wal_bytes(queue.path) - 1)
    tidy(queue)
    assert wal_bytes(queue.path) == 0
    assert hands.message(1).state is State.QUEUED


def test_a_wal_of_the_usual_size_is_left_alone(queue, hands):
    hands.send()
    before = wal_bytes(queue.path)
    tidy(queue)
    assert wal_bytes(queue.path) == before > 0


def test_a_reader_is_not_waited_for_and_reads_on(queue, hands, monkeypatch, patience):
    hands.send()
    monkeypatch.setattr(module, "LARGE_WAL_BYTES", 0)
    with queue.read() as tx:
        count = "SELECT count(*) FROM maildrop_message"
        assert tx.exec_driver_sql(count).scalar() == 1
        hands.send()
        tidy(queue)
        assert set(patience) == {0}
        assert wal_bytes(queue.path) > 0
        assert tx.exec_driver_sql(count).scalar() == 1


@pytest.fixture
def held_one_by_one(queue, hands, monkeypatch):
    """Holds all of three mails; returns how large the WAL was before each commit."""
    monkeypatch.setattr(crowd, "AT_ONCE", 1)
    monkeypatch.setattr(module, "LARGE_WAL_BYTES", 0)
    hands.send(*[hands.mail() for _ in range(3)])

    sizes = []
    act = actions.act

    def acting(*arguments):
        sizes.append(wal_bytes(queue.path))
        return act(*arguments)

    def hold():
        crowd.act_on_all(queue, "hold", Search())
        return sizes

    monkeypatch.setattr(actions, "act", acting)
    return hold


def test_an_action_on_all_mail_never_makes_the_wal_as_large_as_all_its_changes(
    held_one_by_one,
):
    first, *others = held_one_by_one()
    assert first > 0
    assert others == [0, 0]


def test_an_action_on_all_mail_waits_for_no_reader(
    queue, hands, held_one_by_one, patience
):
    with queue.read() as tx:
        tx.exec_driver_sql("SELECT count(*) FROM maildrop_message").scalar()
        assert all(held_one_by_one())
    assert set(patience) == {0}
    assert {hands.message(n).state for n in (1, 2, 3)} == {State.HELD}


def test_a_queue_that_cannot_shrink_is_left_alone(queue, monkeypatch):
    monkeypatch.setattr(module, "SPARE_PAGES", 0)
    monkeypatch.setattr(module, "SPARE_PART", 10**9)
    queue.close()
    with contextlib.closing(sqlite3.connect(queue.path, isolation_level=None)) as by:
        by.execute("PRAGMA journal_mode = DELETE")
        by.execute("PRAGMA auto_vacuum = NONE")
        by.execute("VACUUM")
        by.execute("PRAGMA journal_mode = WAL")
        by.execute("CREATE TABLE gone (x)")
        by.execute("INSERT INTO gone VALUES (?)", (LARGE,))
        by.execute("DROP TABLE gone")
    assert room(queue).pages_to_spare > 0
    assert tidy(queue) is False


def test_a_queue_that_is_damaged_is_an_error_of_the_queue(queue, hands):
    hands.send()
    queue.close()
    queue.path.write_bytes(b"this is no database" * 999)
    with pytest.raises(QueueError, match=r"queue\.db"):
        tidy(queue)
