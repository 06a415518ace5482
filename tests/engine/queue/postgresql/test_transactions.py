"""What a transaction on PostgreSQL sees, keeps and refuses."""

from __future__ import annotations

import contextlib
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace

import pytest
from engine.queue.mails import length
from sqlalchemy.engine import make_url
from waiting import PATIENCE_SECONDS, wait_until

from collective.maildrophost.engine.queue import (
    QueueError,
    Refused,
    State,
    claim,
    enqueue,
    hold_messages,
    moment,
    open_queue,
    operator,
    prune,
    pull_back,
    pull_back_new,
    queue_length,
    settle,
    still_in,
)
from collective.maildrophost.engine.queue.postgresql import database
from collective.maildrophost.engine.verdict import Outcome

SECRET = "-".join(["sesame", "7"])  # a traceback quotes the source


def test_a_reader_sees_one_state_of_the_queue(hands, queue):
    hands.send()
    with queue.read() as tx:
        assert queue_length(tx) == 1
        hands.send()
        assert queue_length(tx) == 1
    assert length(queue) == 2


def test_a_claim_does_not_wait_for_another_that_is_under_way(hands, queue):
    one, two = map(int, hands.send(hands.mail(subject="one"), hands.mail()))
    with queue.write() as claiming:
        assert [each.id for each in claim(claiming, "first", [one], hands.now)] == [one]
        again = hands.do(claim, "second", [one, two], hands.now)
    assert [each.id for each in again] == [two]


def test_a_claim_takes_nothing_before_its_time_in_place_of_taken_mail(hands):
    first, _later = hands.send(hands.mail(), hands.mail(at=hands.now + 1))
    assert len(hands.do(claim, "other", [int(first)], hands.now)) == 1
    assert hands.do(claim, "one", [int(first)], hands.now) == []


def test_a_reader_changes_nothing(hands, queue):
    with queue.read() as tx, pytest.raises(Exception, match="read-only"):
        enqueue(tx, [hands.mail()], hands.now)


@pytest.mark.parametrize(
    ("set_to", "is_then"),
    [("off", "on"), ("local", "local"), ("on", "on"), ("remote_apply", "remote_apply")],
)
def test_every_commit_is_on_disk_whatever_the_database_is_set_to(
    server, url, set_to, is_then
):
    name = make_url(url).database
    server.execute(f"ALTER DATABASE {name} SET synchronous_commit = {set_to}")
    queue = open_queue(url)
    with queue.write() as tx:
        assert tx.exec_driver_sql("SHOW synchronous_commit").scalar() == is_then
    queue.close()


def test_verdicts_find_their_message_where_a_session_tells_few_digits(
    server, url, hands
):
    name = make_url(url).database
    server.execute(f"ALTER DATABASE {name} SET extra_float_digits = 0")
    with contextlib.closing(open_queue(url)) as queue:
        theirs = type(hands)(queue, now=1_764_408_275.1234567)
        (id,) = theirs.send()
        theirs.settle(theirs.claim()[0], Outcome.SENT)
        assert theirs.message(id).state is State.SENT


def test_nothing_is_set_for_a_session(server, url):
    """The next transaction may have another one, behind PgBouncer."""
    name = make_url(url).database
    server.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    with closing(open_queue(url)) as queue:
        with queue.write() as tx:
            assert tx.exec_driver_sql("SHOW lock_timeout").scalar() == "20s"
            session = tx.connection.dbapi_connection
            assert session.prepare_threshold is None
        found = "SELECT name FROM pg_settings WHERE source = 'session'"
        assert session.execute(found).fetchall() == []
        held = "SELECT count(*) FROM pg_prepared_statements"
        assert session.execute(held).fetchone() == (0,)


def test_the_moment_is_no_earlier_for_a_transaction_that_has_waited(queue):
    """The pace goes by it, and is asked for when verdicts were written."""
    with queue.write() as tx:
        before = moment(tx, 0.0)
        tx.exec_driver_sql("SELECT pg_sleep(0.01)")
        assert moment(tx, 0.0) >= before + 0.01


def test_no_error_quotes_the_mail(hands):
    def write(tx):
        tx.exec_driver_sql("ALTER TABLE maildrop_message ADD CHECK (subject = '')")
        enqueue(tx, [hands.mail(subject=SECRET)], hands.now)

    with pytest.raises(Refused) as caught:
        hands.do(write)
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    hands.send()


def test_words_that_no_text_column_can_hold_are_refused(hands):
    """So that the daemon tries these verdicts alone, and then without words."""
    hands.send()
    (claimed,) = hands.claim()
    settlement = hands.settlement(claimed, Outcome.SENT)
    ((position, verdict),) = settlement.verdicts
    bad = type(verdict)(verdict.outcome, "nul \0 in it")
    spoilt = replace(settlement, verdicts=((position, bad),))
    with pytest.raises(Refused):
        hands.do(settle, [spoilt], hands.now)


def test_a_lock_that_is_kept_for_too_long_is_reported(hands, queue, monkeypatch):
    hands.send()
    hurried = database.BEGIN_WRITE._statement.text.replace("20s", "50ms")
    begin = database.Statement(database.text(hurried))
    with queue.write() as tx:
        tx.exec_driver_sql("SELECT * FROM maildrop_schedule FOR UPDATE")
        monkeypatch.setattr(queue.database, "begin_write", begin)
        with pytest.raises(QueueError, match="another transaction kept a lock"):
            hands.do(
                lambda other: other.exec_driver_sql("DELETE FROM maildrop_message")
            )


def test_what_was_found_in_its_state_stays_in_it_and_other_mail_is_free(hands, queue):
    """Mail that somebody releases meanwhile would be deleted with the held mail."""
    lock = "SELECT 1 FROM maildrop_schedule WHERE message_id = {} FOR UPDATE NOWAIT"
    found, other = hands.send(hands.mail(), hands.mail(subject="other"))
    with queue.write() as tx:
        assert still_in(tx, [found], (State.QUEUED,), hands.now) == [found]
        with pytest.raises(QueueError, match="lock"):
            hands.do(lambda meanwhile: meanwhile.exec_driver_sql(lock.format(found)))
        hands.do(lambda meanwhile: meanwhile.exec_driver_sql(lock.format(other)))


def test_only_what_an_action_looks_at_is_not_claimed_meanwhile(hands, monkeypatch):
    """Mail that is being sent would be held."""
    id, other = hands.send(hands.mail(), hands.mail(subject="other"))

    def claims_meanwhile(_tx):
        assert [str(each.id) for each in hands.claim()] == [other]
        return frozenset()

    monkeypatch.setattr(operator, "running_batches", claims_meanwhile)
    assert hands.do(hold_messages, [id]).changed == (id,)


def test_of_two_in_a_deadlock_one_is_told_and_the_other_goes_on(hands, queue):
    ids = hands.send(hands.mail(), hands.mail(subject="other"))
    lock = "SELECT 1 FROM maildrop_schedule WHERE message_id = {} FOR UPDATE"
    both_have_one = threading.Barrier(2)

    def take(mine, others):
        try:
            with queue.write() as tx:
                tx.exec_driver_sql(lock.format(mine))
                both_have_one.wait(PATIENCE_SECONDS)
                tx.exec_driver_sql(lock.format(others))
                hold_messages(tx, [others])
        except QueueError as error:
            return str(error)
        return others

    with ThreadPoolExecutor(2) as threads:
        ends = list(threads.map(take, ids, reversed(ids)))
    (told,) = [each for each in ends if each not in ids]
    assert "another transaction came first" in told
    states = {id: hands.message(id).state for id in ids}
    assert list(states.values()).count(State.HELD) == 1
    assert states[next(each for each in ends if each in ids)] is State.HELD


WAITS = "SELECT count(*) FROM pg_locks WHERE NOT granted"


@pytest.mark.parametrize("pull", [pull_back, pull_back_new])
def test_mail_that_is_made_due_is_locked_in_the_order_of_its_ids(
    hands, queue, server, url, pull
):
    """Else it and another transaction would wait for each other, whatever the plan."""
    lock = "SELECT 1 FROM maildrop_schedule WHERE message_id = {} FOR UPDATE NOWAIT"
    ahead = type(hands)(queue, time.time() + 3600)
    first, second = ahead.send(hands.mail(), hands.mail(subject="other"))
    # A row that was changed lies behind the others: here it is found after them.
    server.execute(f"ALTER DATABASE {make_url(url).database} SET enable_indexscan = 0")
    touch = "UPDATE maildrop_schedule SET lane = 0 WHERE message_id = {}"
    hands.do(lambda tx: tx.exec_driver_sql(touch.format(first)))

    def waits():
        with queue.read() as tx:
            return tx.exec_driver_sql(WAITS).scalar() > 0

    with ThreadPoolExecutor(1) as thread, closing(open_queue(url)) as pulled:
        with queue.write() as tx:
            tx.exec_driver_sql(lock.format(first))
            bounds = (9e9,) if pull is pull_back else (0, 1000)
            pulling = thread.submit(pull, pulled, time.time(), *bounds)
            wait_until(waits, what="the wait for the first")
            hands.do(lambda other: other.exec_driver_sql(lock.format(second)))
        pulling.result(PATIENCE_SECONDS)
    assert all(hands.message(each).due <= time.time() for each in (first, second))


def test_a_database_that_serializes_by_itself_refuses_nobody(server, url, hands):
    database = make_url(url).database
    server.execute(
        f"ALTER DATABASE {database} SET default_transaction_isolation = serializable"
    )
    queue = open_queue(url)
    theirs = type(hands)(queue)
    ids = theirs.send(*[hands.mail(subject=str(number)) for number in range(20)])
    with ThreadPoolExecutor(4) as threads:
        claims = list(threads.map(lambda name: theirs.claim(name, limit=5), "abcd"))
    assert sorted(each.id for part in claims for each in part) == sorted(map(int, ids))
    queue.close()


def test_two_daemons_that_prune_do_not_wait_for_each_other(hands, queue):
    hands.send(hands.mail())
    hands.settle(hands.claim()[0], Outcome.SENT)
    later = hands.now + 40 * 86400
    with queue.write() as one, queue.write() as two:
        assert prune(one, later, 30, 0) == 1
        assert prune(two, later, 30, 0) == 0


@pytest.mark.parametrize("kind", ["read", "write"])
def test_the_server_ends_the_transaction_of_a_client_that_is_gone(queue, kind):
    with getattr(queue, kind)() as tx:
        limit = tx.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar()
    assert limit == "1min"
