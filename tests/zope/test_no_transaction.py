"""What is sent with a transaction that is over, or none at all."""

from __future__ import annotations

import gc
import os
import threading

import pytest
import transaction
from Products.MailHost.MailHost import MailHostError

from collective.maildrophost.transaction import unended
from collective.maildrophost.transaction.participants import participants


@pytest.fixture
def explicit():
    """Every transaction has to be begun by the program."""
    transaction.manager.explicit = True
    yield
    transaction.manager.explicit = False


def test_mail_of_a_hook_after_an_abort_is_dropped_with_a_warning(
    root, send, subjects, caplog
):
    send(root.host, "aborted")
    transaction.get().addAfterAbortHook(send, (root.host, "by hook"))
    transaction.abort()
    transaction.commit()
    assert subjects() == []
    assert "a hook sends mail after its transaction was aborted" in caplog.text


def test_a_rollback_to_a_savepoint_is_no_reason_for_that_warning(
    root, send, subjects, caplog
):
    savepoint = transaction.savepoint()
    send(root.host, "taken back")
    savepoint.rollback()
    send(root.host, "sent after")
    transaction.commit()
    assert subjects() == [("sent after", "queued")]
    assert caplog.text == ""


def test_a_hook_after_an_abort_may_send_with_the_transactional_mode_off(
    host, send, subjects
):
    host.setTransactional(False)
    transaction.get().addAfterAbortHook(send, (host, "by hook"))
    transaction.abort()
    assert subjects() == [("by hook", "queued")]


def test_mail_that_no_transaction_takes_is_refused(host, send, subjects, explicit):
    with pytest.raises(MailHostError, match="outside of a transaction"):
        send(host)
    transaction.begin()
    send(host)
    transaction.commit()
    assert subjects() == [("hello", "queued")]


def test_with_the_transactional_mode_off_mail_needs_no_transaction(
    host, subjects, explicit
):
    host.setTransactional(False)
    mail = "from@example.org", ["to@example.org"], b"Subject: hello\n\nhi\n"
    host._makeMailer().send(*mail)
    assert subjects() == [("hello", "queued")]


NOTHING = None


@pytest.mark.parametrize(
    ("end", "told"),
    [(NOTHING, 1), (transaction.commit, 0), (transaction.abort, 0)],
    ids=["forgotten", "committed", "aborted"],
)
def test_the_log_tells_of_mail_of_a_thread_that_forgets_to_commit(
    host, send, caplog, end, told
):
    def work():
        send(host, immediate=True)
        if end is not NOTHING:
            end()

    gc.collect()
    caplog.clear()  # of mail that other tests have forgotten
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    gc.collect()
    assert caplog.text.count("mail of MailHost on ") == told
    assert caplog.text.count("has to call transaction.commit()") == told


def test_a_fork_logs_nothing_about_mail_that_its_parent_may_commit(host, send, caplog):
    send(host)
    (joined,) = participants(transaction.get())
    unended._tell(joined._unwritten, os.getppid())
    assert caplog.text == ""
