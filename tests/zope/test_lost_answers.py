"""The answer to a commit of the queue gets lost, on the way from its server."""

from __future__ import annotations

import pytest
import transaction
from Products.MailHost.MailHost import MailHostError
from waiting import PATIENCE_SECONDS

from collective.maildrophost.transaction import datamanager as spool

PREPARING = b"INTO maildrop_batch"


@pytest.fixture
def queue_url(proxied_url):
    return proxied_url


@pytest.fixture(autouse=True)
def small_bounds(monkeypatch):
    monkeypatch.setattr(spool, "SPILL_MESSAGES", 3)


@pytest.fixture
def losing(root, send, subjects, proxy):
    """Sends a mail that is refused: those before it were prepared, unheard of."""

    def send_and_lose(subject, prepared):
        proxy.lose_commit(PREPARING)
        with pytest.raises(MailHostError, match="mail queue"):
            send(root.host, subject)
        assert proxy.lost.wait(PATIENCE_SECONDS)
        assert [each for each, _ in subjects()] == prepared

    return send_and_lose


def queued(*names):
    return [(name, "queued") for name in names]


@pytest.mark.parametrize("more", [(), ("5",), ("5", "6", "7", "8")])
def test_mail_that_was_prepared_unheard_is_not_sent_twice(
    root, send, subjects, losing, more
):
    for name in "123":
        send(root.host, name)
    losing("refused", ["1", "2", "3"])
    for name in more:
        send(root.host, name)
    transaction.commit()
    assert subjects() == queued("1", "2", "3", *more)


def test_mail_prepared_unheard_is_not_sent_twice_beside_mail_that_was_heard_of(
    root, send, subjects, losing
):
    for name in "123456":
        send(root.host, name)
    losing("refused", ["1", "2", "3", "4", "5", "6"])
    root.counter += 1
    transaction.commit()
    assert subjects() == queued("1", "2", "3", "4", "5", "6")


@pytest.mark.parametrize("kept", [("1",), ("1", "2", "3", "4")])
def test_mail_that_was_prepared_unheard_is_taken_back(
    root, send, subjects, losing, kept
):
    for name in kept:
        send(root.host, name)
    savepoint = transaction.savepoint()
    for name in "ab":
        send(root.host, name)
    losing("refused", [*kept, "a", "b"])
    savepoint.rollback()
    transaction.commit()
    assert subjects() == queued(*kept)


def test_an_abort_deletes_what_was_prepared_unheard(root, send, subjects, losing):
    for name in "123":
        send(root.host, name)
    losing("refused", ["1", "2", "3"])
    transaction.abort()
    assert subjects() == []


def test_a_transaction_whose_vote_is_not_heard_sends_nothing(
    root, send, subjects, proxy
):
    # Nobody else takes part: one step would do, if every answer came.
    send(root.host, "1")
    proxy.lose_commit(b"INTO maildrop_message")
    with pytest.raises(MailHostError, match="mail queue"):
        transaction.commit()
    assert proxy.lost.wait(PATIENCE_SECONDS)
    transaction.abort()
    assert subjects() == []
