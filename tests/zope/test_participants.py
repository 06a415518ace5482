"""A transaction that does not tell who takes part costs no mail that is to be sent."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from collective.maildrophost.engine.message import compose
from collective.maildrophost.participants import everybody_voted
from collective.maildrophost.transaction import SpoolDataManager


@pytest.fixture
def manager(configuration):
    """One mail's part in a transaction."""
    mail = compose(b"Subject: hello\n\nhi\n", "a@b.org", ["c@d.org"], now=time.time())
    found = SpoolDataManager(configuration.queue)
    found.add(mail, "here")
    return found


@pytest.mark.parametrize("told", [set(), {"_resources"}, {"_voted"}])
def test_mail_of_a_transaction_that_breaks_stays_prepared(manager, subjects, told):
    known = {"_resources": [manager, object()], "_voted": {}}
    txn = SimpleNamespace(**{name: known[name] for name in told})
    manager.tpc_vote(txn)
    manager.tpc_abort(txn)
    assert subjects() == [("hello", "prepared")]


def test_it_is_deleted_where_somebody_has_not_voted(manager, subjects):
    txn = SimpleNamespace(_resources=[manager, object()], _voted={id(manager): True})
    manager.tpc_vote(txn)
    assert not everybody_voted(txn)
    manager.tpc_abort(txn)
    assert subjects() == []
