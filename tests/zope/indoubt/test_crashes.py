"""A process dies between the phases: its mail goes out if ZODB has committed."""

from __future__ import annotations

import pytest

from collective.maildrophost.engine.queue import open_batches
from collective.maildrophost.engine.system.identity import Fate
from collective.maildrophost.indoubt import doubt, resolver, storagelog
from collective.maildrophost.indoubt.resolver import Resolver
from collective.maildrophost.indoubt.storagelog import EXTENDED_INFO
from collective.maildrophost.queues import queue_at

NOTHING: set[str] = set()
WITH_LOG = ("file", "zeo", "history")


@pytest.mark.parametrize("kind", WITH_LOG)
def test_mail_of_a_process_killed_after_zodb_has_finished_goes_out(
    make_site, die, states, kind
):
    site = make_site(kind)
    die(site, "finished")
    assert states() == {"prepared"}
    site.look()
    assert states() == {"queued"}


@pytest.mark.parametrize("kind", WITH_LOG)
def test_mail_of_a_process_killed_before_zodb_finishes_never_goes_out(
    make_site, die, states, kind
):
    site = make_site(kind)
    die(site, "voted")
    assert states() == {"prepared"}
    # Life goes on before anybody looks.
    site.count()
    site.look()
    assert states() == NOTHING


@pytest.mark.parametrize("kind", [*WITH_LOG, "history-free"])
def test_mail_of_a_process_killed_before_the_vote_never_goes_out(
    make_site, die, states, kind
):
    site = make_site(kind)
    die(site, "spilled")
    assert states() == {"prepared"}
    site.look()
    assert states() == NOTHING


@pytest.mark.parametrize("where", ["voted", "finished"])
def test_without_a_log_a_person_decides_and_is_told_once(
    make_site, die, states, configuration, caplog, where
):
    site = make_site("history-free")
    die(site, where)
    with site.opened() as database:
        look = Resolver(database.databases, lambda: [configuration.queue]).look
        for _ in range(3):
            look()
    assert states() == {"prepared"}
    assert caplog.text.count("Release or discard it, in the control panel") == 1


def test_mail_of_a_process_killed_between_two_databases_goes_out(
    make_site, die, states
):
    site = make_site("two")
    die(site, "between")
    assert states() == {"prepared"}
    site.look()
    assert states() == {"queued"}


def test_two_databases_that_both_say_no_are_believed(make_site, die, states):
    site = make_site("two")
    die(site, "voted")
    site.look()
    assert states() == NOTHING


def test_the_log_of_another_site_says_nothing(make_site, die, states, caplog):
    """Two sites may share a queue; a database is called main in both."""
    ours, other = make_site("file"), make_site("file", "other")
    die(ours, "voted")
    other.count()
    other.look()
    assert states() == {"prepared"}
    assert "first start the Zope that has sent it" in caplog.text
    ours.look()
    assert states() == NOTHING


@pytest.mark.parametrize("kind", ["file", "history"])
def test_a_log_that_was_packed_since_is_not_believed_when_it_says_no(
    make_site, die, states, kind
):
    site = make_site(kind)
    die(site, "voted")
    site.count()
    site.pack()
    site.look()
    assert states() == {"prepared"}


@pytest.mark.settling
def test_what_a_server_does_after_the_death_of_its_client_is_waited_for(
    make_site, die, states, configuration, monkeypatch
):
    site = make_site("zeo")
    die(site, "voted")
    with site.opened() as database:
        look = Resolver(database.databases, lambda: [configuration.queue]).look
        look()
        look()
        assert states() == {"prepared"}
        # Now the server has come to what its client asked for last.
        batch = open_batches_of(configuration)
        commit_with(database, batch)
        monkeypatch.setattr(doubt, "SETTLE_SECONDS", 0.0)
        look()
    assert states() == {"queued"}


def open_batches_of(configuration):
    with queue_at(configuration.queue).read() as tx:
        return [each.batch for each in open_batches(tx)]


def commit_with(database, batches):
    """As the process that died would have committed."""
    with database.transaction() as connection:
        connection.transaction_manager.get().setExtendedInfo(EXTENDED_INFO, batches)
        connection.root.counter += 1


def test_a_log_that_is_in_trouble_is_asked_again(
    make_site, die, states, configuration, monkeypatch, caplog
):
    site = make_site("file")
    die(site, "finished")
    with site.opened() as database:
        look = Resolver(database.databases, lambda: [configuration.queue]).look
        with monkeypatch.context() as patched:
            patched.setattr(storagelog, "_search", lambda *_: 1 / 0)
            look()
        assert states() == {"prepared"}
        assert "the log of database main can't be read" in caplog.text
        look()
        assert states() == {"prepared"}
        monkeypatch.setattr(doubt, "ASK_AGAIN_SECONDS", 0.0)
        look()
    assert states() == {"queued"}


def test_what_another_machine_commits_after_a_look_goes_out_at_a_later_one(
    make_site, die, states, configuration, monkeypatch
):
    site = make_site("file")
    die(site, "voted")
    # A process on another machine may still run.
    monkeypatch.setattr(resolver, "fate", lambda *_, **__: Fate.UNKNOWN)
    with site.opened() as database:
        look = Resolver(database.databases, lambda: [configuration.queue]).look
        look()
        look()
        assert states() == {"prepared"}
        commit_with(database, open_batches_of(configuration))
        monkeypatch.setattr(doubt, "ASK_AGAIN_SECONDS", 0.0)
        look()
    assert states() == {"queued"}
