"""A savepoint that is rolled back takes the mail back that was sent since."""

from __future__ import annotations

import pytest
import transaction

# Every promise of a transaction is kept on both databases.
pytestmark = pytest.mark.parametrize(
    "queue_url", ["sqlite", "postgresql"], indirect=True
)


def test_a_savepoint_takes_back_the_mail_sent_since(root, send, subjects):
    send(root.host, "kept")
    savepoint = transaction.savepoint()
    send(root.host, "taken back")
    savepoint.rollback()
    send(root.host, "sent after")
    transaction.commit()
    assert subjects() == [("kept", "queued"), ("sent after", "queued")]


def test_a_savepoint_before_the_first_mail_takes_back_all(root, send, subjects):
    savepoint = transaction.savepoint()
    send(root.host, "taken back")
    savepoint.rollback()
    send(root.host, "sent after")
    transaction.commit()
    assert subjects() == [("sent after", "queued")]


def test_an_outer_savepoint_takes_back_what_inner_ones_kept(root, send, subjects):
    send(root.host, "kept")
    outer = transaction.savepoint()
    send(root.host, "one")
    inner = transaction.savepoint()
    send(root.host, "two")
    inner.rollback()
    send(root.host, "three")
    outer.rollback()
    transaction.commit()
    assert subjects() == [("kept", "queued")]


def test_a_savepoint_that_is_kept_changes_nothing(root, send, subjects):
    send(root.host, "one")
    transaction.savepoint()
    send(root.host, "two")
    transaction.commit()
    assert subjects() == [("one", "queued"), ("two", "queued")]
