"""No mail is lost to a transaction that does not tell who takes part in it."""

from __future__ import annotations

import time

import pytest
from transaction import Transaction

from collective.maildrophost.engine.message import compose
from collective.maildrophost.indoubt.endings import known_here
from collective.maildrophost.transaction import SpoolDataManager
from collective.maildrophost.transaction.participants import everybody_voted


@pytest.fixture
def manager(configuration):
    """One mail's part in a transaction."""
    mail = compose(b"Subject: hello\n\nhi\n", "a@b.org", ["c@d.org"], now=time.time())
    found = SpoolDataManager(configuration.queue)
    found.add(mail, "here")
    return found


@pytest.fixture
def two_take_part(manager):
    """A Transaction that lacks the named attributes."""

    def make(*missing):
        txn = Transaction()
        txn._resources = [manager, object()]
        for name in missing:
            delattr(txn, name)
        return txn

    return make


@pytest.mark.parametrize(
    "missing", [("_resources", "_voted"), ("_voted",), ("_resources",)]
)
def test_mail_of_a_transaction_that_breaks_stays_prepared(
    manager, subjects, two_take_part, missing
):
    txn = two_take_part(*missing)
    manager.tpc_vote(txn)
    manager.tpc_abort(txn)
    assert subjects() == [("hello", "prepared")]


def test_mail_is_deleted_where_nobody_else_takes_part(manager, subjects):
    txn = object()
    manager.tpc_vote(txn)
    manager.tpc_abort(txn)
    assert subjects() == []


def test_mail_is_deleted_where_somebody_has_not_voted(manager, subjects, two_take_part):
    txn = two_take_part()
    txn._voted[id(manager)] = True
    manager.tpc_vote(txn)
    assert not everybody_voted(txn)
    manager.tpc_abort(txn)
    assert subjects() == []


def test_nothing_is_in_doubt_before_the_vote(manager, subjects, two_take_part, caplog):
    manager.tpc_abort(two_take_part("_voted"))
    assert (subjects(), caplog.text) == ([], "")


def test_a_thread_that_dies_after_its_vote_may_have_committed(
    manager, configuration, two_take_part, in_threads
):
    def vote(number):
        # As it is when there is much mail.
        manager._prepare_unwritten()
        manager.tpc_vote(two_take_part())

    in_threads(1, vote)
    assert manager.batch not in known_here(configuration.queue)
