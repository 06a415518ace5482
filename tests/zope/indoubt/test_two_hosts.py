"""A transaction that begins with one host of the queue, and ends with another one."""

from __future__ import annotations

import pytest
import transaction
from datamanagers import AFTER_MAIL, AFTER_ZODB
from servers.postgresql import PostgreSQL
from servers.twohosts import two_hosts

from collective.maildrophost.transaction import datamanager as spool


@pytest.fixture
def other():
    """A server that has the queue's tables, and none of its mail."""
    with PostgreSQL() as server:
        yield server


@pytest.fixture
def name(postgresql, other):
    with two_hosts(postgresql, other) as name:
        yield name


@pytest.fixture
def queue_url(postgresql, other, name):
    hosts = "&".join(f"host={server.host}:5432" for server in (postgresql, other))
    return f"postgresql+psycopg://maildrop@/{name}?{hosts}"


@pytest.fixture
def goes_on_with(postgresql, other, name, queue):
    """From this call on only that server takes writes."""

    def switch(server):
        for each in (postgresql, other):
            word = "off" if each is server else "on"
            each.execute(
                f"ALTER DATABASE {name} SET default_transaction_read_only={word}"
            )
        queue.close()

    switch(postgresql)
    return switch


@pytest.fixture
def states(mails, postgresql, goes_on_with):
    """The states of mail on the host where the transaction began, now it is back."""

    def found():
        goes_on_with(postgresql)
        return [mail.state.value for mail in mails()]

    return found


@pytest.mark.parametrize("changes", [1, 0], ids=["logged", "only mail"])
def test_mail_that_was_voted_on_elsewhere_goes_out_when_that_host_is_back(
    root, send, join, other, goes_on_with, states, look, caplog, changes
):
    join(AFTER_ZODB, tpc_finish=lambda: goes_on_with(other))
    if changes:
        root.counter += changes
    send(root.host)
    transaction.commit()
    assert "only 0 of its 1 mails were there to be released" in caplog.text
    look()
    assert states() == ["prepared"]
    look()
    assert states() == ["queued"]


def refuse():
    raise ValueError("no")


@pytest.mark.parametrize("changes", [1, 0], ids=["logged", "only mail"])
def test_mail_of_a_refused_transaction_is_deleted_there(
    root, send, join, other, goes_on_with, states, look, changes
):
    def refused():
        goes_on_with(other)
        refuse()

    join(AFTER_MAIL, tpc_vote=refused)
    if changes:
        root.counter += changes
    send(root.host)
    with pytest.raises(ValueError, match="no"):
        transaction.commit()
    transaction.abort()
    look()
    assert states() == ["prepared"]
    look()
    assert states() == []


def test_a_newsletter_that_is_torn_between_two_hosts_is_refused_on_both(
    root, send, other, goes_on_with, states, look, monkeypatch
):
    monkeypatch.setattr(spool, "SPILL_MESSAGES", 2)
    for number in range(5):
        send(root.host, str(number))
    goes_on_with(other)
    root.counter += 1
    with pytest.raises(Exception, match="has 1 of the 5 mails of this transaction"):
        transaction.commit()
    transaction.abort()
    assert states() == ["prepared"] * 4
    look()
    assert states() == []


def test_mail_that_went_back_on_another_host_is_not_sent_by_the_one_that_has_it(
    root, send, postgresql, other, goes_on_with, states, monkeypatch
):
    monkeypatch.setattr(spool, "SPILL_MESSAGES", 2)
    send(root.host, "stays")
    savepoint = transaction.savepoint()
    for number in range(4):
        send(root.host, str(number))
    goes_on_with(other)
    savepoint.rollback()
    goes_on_with(postgresql)
    root.counter += 1
    with pytest.raises(Exception, match="has 4 of the 1 mails of this transaction"):
        transaction.commit()
    transaction.abort()
    assert states() == []
