"""A batch whose process is of another boot: this machine's, or a machine of its own."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
import transaction
from datamanagers import AFTER_ZODB

from collective.maildrophost.engine.message import compose
from collective.maildrophost.engine.queue import (
    Batch,
    new_batch,
    open_batches,
    prepare,
    remember_batch,
)
from collective.maildrophost.engine.system.identity import Fate
from collective.maildrophost.indoubt import doubt, resolver, storagelog
from collective.maildrophost.transaction import datamanager as spool

ANOTHER_BOOT = "another-boot pid:[4026531836] 77 12345"


@pytest.fixture
def prepared(queue, mails):
    """A mail that such a process has left, with or without its vote."""

    def prepared(voted):
        now = time.time()
        message = compose("Subject: x\n\n", "a@x.org", ["b@x.org"], now=now)
        batch = Batch(new_batch(), ANOTHER_BOOT, voted=voted, log="{}")
        with queue.write() as tx:
            remember_batch(tx, batch)
            prepare(tx, batch.batch, [message], now)
        return lambda: [each.state.value for each in mails()]

    return prepared


@pytest.mark.parametrize("queue_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("voted", [True, False])
def test_a_transaction_that_another_machine_may_still_commit_is_left_alone(
    prepared, look, caplog, voted
):
    states = prepared(voted)
    for _ in range(3):
        look()
    assert states() == ["prepared"]
    assert "nobody can tell" not in caplog.text


def test_a_reboot_has_ended_what_was_not_voted_for(prepared, look):
    states = prepared(voted=False)
    look()
    assert states() == []


def test_who_votes_and_dies_during_a_look_is_not_taken_for_one_who_has_not_voted(
    prepared, queue, look, monkeypatch
):
    states = prepared(voted=False)

    def votes_and_dies(_process, **_):
        with queue.write() as tx:
            (batch,) = open_batches(tx)
            remember_batch(tx, replace(batch, voted=True))
        return Fate.ENDED

    monkeypatch.setattr(resolver, "fate", votes_and_dies)
    look()
    assert states() == ["prepared"]


def test_a_reboot_leaves_what_no_log_knows_to_a_person(prepared, look, caplog):
    states = prepared(voted=True)
    look()
    assert states() == ["prepared"]
    assert "nobody can tell" in caplog.text


def test_a_log_that_knows_nothing_is_not_read_at_each_look(prepared, look, monkeypatch):
    """It may have gigabytes."""
    asked = []

    def endings(databases, references, really=storagelog.endings):
        asked.append(references)
        return really(databases, references)

    monkeypatch.setattr(storagelog, "endings", endings)
    prepared(voted=True)
    for _ in range(3):
        look()
    assert len(asked) == 1


@pytest.mark.settling
@pytest.mark.parametrize("queue_url", ["postgresql"], indirect=True)
def test_what_another_machine_has_just_committed_is_its_own_to_release(
    root, send, join, mails, look, caplog, monkeypatch
):
    monkeypatch.setattr(spool, "own_identity", lambda: ANOTHER_BOOT)
    join(AFTER_ZODB, tpc_finish=look)
    root.counter += 1
    send(root.host)
    transaction.commit()
    assert [each.state.value for each in mails()] == ["queued"]
    assert caplog.text == ""


@pytest.mark.settling
@pytest.mark.parametrize("queue_url", ["postgresql"], indirect=True)
def test_what_another_machine_committed_and_does_not_release_goes_out(
    root, send, join, states, look, monkeypatch
):
    """Seen by the other one, which knows nothing of how the transaction has ended."""

    def die():
        raise OSError("gone")

    monkeypatch.setattr(spool, "own_identity", lambda: ANOTHER_BOOT)
    monkeypatch.setattr(spool.endings, "left_undone", lambda *ending: None)
    join(AFTER_ZODB, tpc_finish=die)
    root.counter += 1
    send(root.host)
    with pytest.raises(OSError, match="gone"):
        transaction.commit()
    transaction.abort()
    look()
    assert states() == {"prepared"}
    monkeypatch.setattr(doubt, "SETTLE_SECONDS", 0.0)
    look()
    assert states() == {"queued"}


def test_a_program_that_reads_no_log_leaves_it_to_the_zope_that_does(
    prepared, queue, caplog
):
    """It looks for its own mail alone; nobody has to decide what a log will tell."""
    states = prepared(voted=True)
    resolver.Resolver({}, lambda: [queue.url]).look()
    assert states() == ["prepared"]
    assert "nobody can tell" not in caplog.text
