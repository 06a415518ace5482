"""What the logs of ZODB say about several batches, and about several databases."""

from __future__ import annotations

import json
from functools import partial

import pytest
import transaction
from datamanagers import AFTER_MAIL
from persistent import Persistent

from collective.maildrophost.indoubt import storagelog
from collective.maildrophost.indoubt.endings import Ending
from collective.maildrophost.indoubt.storagelog import EXTENDED_INFO

NEVER = "00" * 8


@pytest.fixture
def commit(database):
    """Commits a transaction with these batches; the reference of the next one."""

    def commit(*batches):
        with database.transaction() as connection:
            if batches:
                information = connection.transaction_manager.get()
                information.setExtendedInfo(EXTENDED_INFO, list(batches))
            connection.root.counter += 1
        return database.lastTransaction().hex()

    return commit


@pytest.fixture
def ending(database):
    """What became of each batch, by where its log ended at the vote."""

    def ending(**ends):
        where = {batch: json.dumps(end) for batch, end in ends.items()}
        return storagelog.endings({"main": database}, where)

    return ending


def test_batches_of_different_times_are_found_in_one_look(commit, ending):
    before = commit()
    between = commit("first")
    after = commit("second", "with it")
    assert ending(
        first={"main": before},
        second={"main": between},
        missed={"main": before},
        late={"main": after},
    ) == {
        "first": Ending.COMMITTED,
        "second": Ending.COMMITTED,
        "missed": Ending.ABORTED,
        "late": Ending.ABORTED,
    }


def test_a_log_that_lacks_what_it_ended_with_is_of_another_site(commit, ending):
    end = commit()
    commit("another")
    assert ending(batch={"main": NEVER}, ours={"main": end}) == {
        "batch": Ending.UNKNOWN,
        "ours": Ending.ABORTED,
    }


@pytest.mark.parametrize(
    "other", [{"gone": "01" * 8}, {"without a log": None}], ids=["gone", "no log"]
)
def test_a_no_is_believed_only_when_every_database_says_it(commit, ending, other):
    end = commit()
    commit("committed")
    assert ending(committed={"main": end, **other}, batch={"main": end, **other}) == {
        "committed": Ending.COMMITTED,
        "batch": Ending.UNKNOWN,
    }


def test_where_nothing_was_written_no_log_can_tell(ending):
    assert ending(batch={}) == {"batch": Ending.UNKNOWN}


@pytest.fixture
def reference(join):
    """Commits what a connection has; the reference at the vote."""

    def reference(connection):
        told = []
        vote = partial(storagelog.reference, [connection])
        join(AFTER_MAIL, tpc_vote=lambda: told.append(vote()))
        transaction.commit()
        connection.close()
        return told.pop()

    return reference


@pytest.mark.parametrize("kind", ["file", "zeo", "history"])
def test_a_search_begins_at_the_newest_transaction_that_is_seen(
    make_site, reference, kind
):
    """RelStorage itself, when it is asked, repeats the answer it gave first."""
    with make_site(kind).opened() as database:
        for _ in range(3):
            connection = database.open()
            root = connection.root()
            root["counter"] += 1
            last = root._p_serial.hex()
            assert json.loads(reference(connection)) == {"main": last}


def test_a_database_that_stores_nothing_has_nothing_to_tell(database, reference):
    """Its log would say no, and committed mail would be deleted."""
    connection = database.open()
    connection.root.counter += 1
    connection.root()._p_invalidate()
    assert reference(connection) == ""


def test_what_was_new_in_a_transaction_alone_is_in_the_log(database, reference):
    connection = database.open()
    connection.add(Persistent())
    last = database.lastTransaction().hex()
    assert list(json.loads(reference(connection)).values()) == [last]


def test_a_database_without_a_log_never_gets_one(make_site, reference):
    """One that it is converted to has its transactions, but not their batches."""
    with make_site("history-free").opened() as database:
        connection = database.open()
        connection.root.counter += 1
        assert json.loads(reference(connection)) == {"main": None}


def test_a_vote_leaves_no_transaction_open_in_a_relational_database(
    make_site, reference
):
    """A server could tidy up nothing that is newer, as long as Zope runs."""
    with make_site("history").opened() as database:
        connection = database.open()
        connection.root.counter += 1
        reference(connection)
        assert not database.storage._load_connection
