"""What zope.sendmail sends with a Maildrop Host's mailer is of its transaction."""

from __future__ import annotations

import pytest
import transaction
from datamanagers import AFTER_MAIL, AFTER_ZODB
from Products.MailHost.MailHost import MailHostError
from zope.sendmail.delivery import DirectMailDelivery

from collective.maildrophost.engine.message import Lane
from collective.maildrophost.engine.queue import State
from collective.maildrophost.indoubt.storagelog import EXTENDED_INFO

# Every promise of a transaction is kept on both databases.
pytestmark = pytest.mark.parametrize(
    "queue_url", ["sqlite", "postgresql"], indirect=True
)


@pytest.fixture
def deliver(root):
    """Sends a mail as users of zope.sendmail do, with one delivery for all."""
    delivery = DirectMailDelivery(root.host._makeMailer())

    def deliver(subject="hello", to="to@example.org"):
        delivery.send("from@example.org", [to], f"Subject: {subject}\n\nhi\n")

    return deliver


@pytest.mark.parametrize("transactional", [True, False])
@pytest.mark.parametrize("changes", [0, 1], ids=["alone", "with a change"])
def test_mail_of_a_committed_transaction_is_queued_once(
    root, deliver, mails, caplog, changes, transactional
):
    root.host.setTransactional(transactional)
    root.counter += changes
    deliver()
    assert mails() == []
    transaction.commit()
    transaction.commit()
    (message,) = mails()
    assert (message.state, message.lane) == (State.QUEUED, Lane.INTERACTIVE)
    # zope.sendmail only logs what goes wrong when it sends.
    assert caplog.text == ""


def test_mails_that_are_alike_are_all_queued(root, deliver, send, subjects):
    deliver()
    deliver()
    send(root.host)
    transaction.commit()
    deliver()
    transaction.commit()
    assert subjects() == [("hello", "queued")] * 4


def test_an_abort_leaves_nothing(deliver, subjects):
    deliver()
    transaction.abort()
    transaction.commit()
    assert subjects() == []


def test_a_savepoint_takes_back_the_mail_sent_since(root, deliver, subjects):
    root.counter += 1
    deliver("kept")
    savepoint = transaction.savepoint()
    deliver("taken back")
    savepoint.rollback()
    deliver("sent after")
    transaction.commit()
    assert sorted(subjects()) == [("kept", "queued"), ("sent after", "queued")]


@pytest.mark.parametrize("transactional", [True, False])
@pytest.mark.parametrize("key", [AFTER_MAIL, AFTER_ZODB])
def test_a_no_of_another_participant_deletes_the_mail(
    root, deliver, subjects, join, key, transactional
):
    def refuse():
        raise RuntimeError("no")

    root.host.setTransactional(transactional)
    deliver()
    join(key, tpc_vote=refuse)
    with pytest.raises(RuntimeError, match="no"):
        transaction.commit()
    transaction.abort()
    assert subjects() == []


def test_what_cannot_be_queued_stops_the_transaction(database, root, deliver, subjects):
    root.counter += 1
    deliver("good")
    deliver("bad", to="no address at all")
    with pytest.raises(MailHostError, match="blank"):
        transaction.commit()
    transaction.abort()
    with database.transaction() as connection:
        assert connection.root.counter == 0
    assert subjects() == []


def test_a_configuration_that_cannot_be_read_is_told_when_it_is_sent(
    deliver, monkeypatch, tmp_path
):
    monkeypatch.setenv("MAILDROP_CONFIG", str(tmp_path / "missing.conf"))
    with pytest.raises(MailHostError, match=r"missing\.conf"):
        deliver()


def test_its_batch_is_in_the_log_that_tells_after_a_crash(
    database, root, deliver, mails, join
):
    batches = []
    join(AFTER_MAIL, tpc_vote=lambda: batches.extend(m.batch for m in mails()))
    root.counter += 1
    deliver()
    transaction.commit()
    (*_, last) = database.storage.iterator()
    assert last.extension[EXTENDED_INFO] == batches
    assert len(batches) == 1


@pytest.mark.parametrize("transactional", [True, False])
def test_a_mailer_that_is_called_outside_of_a_commit_queues(root, mails, transactional):
    root.host.setTransactional(transactional)
    mailer = root.host._makeMailer()
    mail = "from@example.org", ["to@example.org"], b"Subject: hello\n\nhi\n"
    mailer.vote(*mail)
    mailer.send(*mail)
    assert bool(mails()) is not transactional
    transaction.commit()
    (message,) = mails()
    assert message.lane is Lane.INTERACTIVE


def test_threads_share_a_mailer_but_no_mail(host, subjects, in_threads):
    delivery = DirectMailDelivery(host._makeMailer())

    def commit_or_not(number):
        for _ in range(5):
            delivery.send("f@example.org", ["t@example.org"], f"Subject: {number}\n\n")
            transaction.commit() if number % 2 else transaction.abort()

    in_threads(4, commit_or_not)
    assert sorted(subjects()) == [("1", "queued")] * 5 + [("3", "queued")] * 5
