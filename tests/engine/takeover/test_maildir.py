"""A Maildir of zope.sendmail or repoze.sendmail comes over, the rejected mail too."""

from __future__ import annotations

import os
import shutil

import pytest

from collective.maildrophost.engine.queue import State, retry_messages
from collective.maildrophost.engine.takeover import Left, Taken, look_through

ZOPE = (
    b"X-Zope-From: a@x.org\nX-Zope-To: b@x.org, C <c@x.org>\n"
    b"Message-Id: <1@x.org>\nSubject: hello\nX-Zope-To: a header of its own\n\nbody\n"
)
# As the email package writes headers of class Header with many addresses.
REPOZE = (
    b"Message-Id: <1@x.org>\nSubject: hello\n"
    b"X-Actually-From: =?utf-8?q?a=40x=2Eorg?=\n"
    b"X-Actually-To: =?utf-8?b?YkB4Lm9yZyxj?=\n =?utf-8?q?=40x=2Eorg?=\n\nbody\n"
)
# As it wrote them before, and where nothing needs to be encoded.
PLAIN_REPOZE = (
    b"Message-Id: <1@x.org>\nSubject: hello\n"
    b"X-Actually-From: a@x.org\nX-Actually-To: b@x.org,C <c@x.org>\n\nbody\n"
)
NAME = "1700000000.77.host.12345"


@pytest.fixture
def maildir(moved):
    return moved("cur", "new", "tmp")


@pytest.mark.parametrize("folder", ["new", "cur"])
@pytest.mark.parametrize("text", [ZOPE, ZOPE.replace(b"\n", b"\r\n"), REPOZE])
def test_a_mail_comes_over_with_its_envelope(folder, text, maildir):
    maildir.put(f"{folder}/{NAME}", text)
    assert maildir.take() == [Taken("1")]
    (message,) = maildir.messages
    assert message.sender == "a@x.org"
    assert [each.address for each in message.recipients] == ["b@x.org", "c@x.org"]
    assert message.state is State.QUEUED
    assert not message.possible_duplicate
    sent = maildir.text(message)
    assert sent.startswith(b"Message-Id: <1@x.org>")
    assert sent.count(b"\n") == text.count(b"\n") - (3 if text is REPOZE else 2)
    assert b"X-Actually" not in sent
    assert maildir.files == []


@pytest.mark.parametrize("folder", ["new", "cur"])
def test_a_maildir_may_lack_the_folders_that_were_empty(folder, moved):
    maildir = moved(folder)
    maildir.put(f"{folder}/{NAME}", ZOPE)
    assert maildir.take() == [Taken("1")]
    assert maildir.files == []


@pytest.mark.parametrize("folder", ["new", "cur"])
def test_a_folder_of_a_maildir_is_refused_with_the_name_of_the_maildir(folder, maildir):
    maildir.put(f"{folder}/{NAME}", ZOPE)
    (left,) = look_through(maildir.directory / folder)
    assert left == Left(
        maildir.directory / folder,
        "has nothing that looks like queued mail (1 other file): the Maildir that it "
        f"is a part of would be {maildir.directory}",
    )


def test_the_oldest_mail_comes_first_whatever_its_name_and_folder(maildir):
    for name in ("new/3", "cur/1", "new/2"):
        maildir.put(name, ZOPE.replace(b"hello", name.encode()))
    maildir.take()
    subjects = [each.subject for each in maildir.messages]
    assert subjects == ["new/3", "cur/1", "new/2"]


@pytest.mark.parametrize("missing", [b"X-Zope-From", b"X-Zope-To"])
def test_half_an_envelope_is_no_envelope(missing, maildir):
    maildir.put(f"new/{NAME}", ZOPE.replace(missing, b"X-Other"))
    (left,) = maildir.take()
    assert "no envelope" in left.reason
    assert maildir.files == [f"new/{NAME}"]


def test_a_header_of_that_name_further_down_is_the_senders_own(maildir):
    maildir.put(f"new/{NAME}", ZOPE)
    maildir.take()
    (message,) = maildir.messages
    assert b"X-Zope-To: a header of its own\n" in maildir.text(message)


EARLIER = (
    b"X-Zope-From: old@x.org\nX-Zope-To: old-to@x.org\n"
    b"X-Actually-From: older@x.org\nX-Actually-To: older-to@x.org\n"
)


@pytest.mark.parametrize("text", [b"From: a@x.org\n" + EARLIER + REPOZE, ZOPE])
def test_the_envelope_of_an_earlier_queue_that_came_with_a_mail_does_not_count(
    text, maildir
):
    """Each program writes its own in one place; the rest came with the mail."""
    text = text.replace(b"Subject: hello\n", b"Subject: hello\n" + EARLIER)
    maildir.put(f"new/{NAME}", text)
    maildir.take()
    (message,) = maildir.messages
    assert message.sender == "a@x.org"
    assert [each.address for each in message.recipients] == ["b@x.org", "c@x.org"]
    assert EARLIER in maildir.text(message)


@pytest.mark.parametrize(
    "data",
    [
        b"Subject: hello\n" + ZOPE,
        ZOPE.replace(b"X-Zope-To", b"Subject: between\nX-Zope-To", 1),
        b"X-Zope-To: b@x.org\nX-Zope-From: a@x.org\n\n",
    ],
)
def test_an_envelope_of_zope_sendmail_counts_only_on_top(data, maildir):
    maildir.put(f"new/{NAME}", data)
    (left,) = maildir.take()
    assert "no envelope" in left.reason
    assert maildir.files == [f"new/{NAME}"]


def test_all_recipients_of_a_long_list_come_over(maildir):
    many = [f"person.number{number}@example.org" for number in range(2000)]
    line = ", ".join(many).encode()
    maildir.put(f"new/{NAME}", ZOPE.replace(b"b@x.org, C <c@x.org>", line))
    maildir.take()
    (message,) = maildir.messages
    assert [each.address for each in message.recipients] == many


@pytest.mark.parametrize("text", [ZOPE, PLAIN_REPOZE])
@pytest.mark.parametrize(
    "name", ["M=C3=BCller=2C_Hans", "x=3Cevil=40x=2Eorg=3E=2C", "News=3A_all=3B"]
)
def test_what_is_encoded_in_a_name_is_in_no_address(name, text, maildir):
    """As in `=?utf-8?q?M=C3=BCller=2C_Hans?= <hans@x.org>`: one person."""
    encoded = b"=?utf-8?q?" + name.encode() + b"?= "
    text = text.replace(b"a@x.org", encoded + b"<a@x.org>", 1)
    text = text.replace(b"b@x.org", encoded + b"<b@x.org>", 1)
    maildir.put(f"new/{NAME}", text)
    assert maildir.take() == [Taken("1")]
    (message,) = maildir.messages
    assert message.sender == "a@x.org"
    assert [each.address for each in message.recipients] == ["b@x.org", "c@x.org"]


def test_a_mail_without_a_sender_has_the_null_sender(maildir):
    maildir.put(f"new/{NAME}", ZOPE.replace(b"From: a@x.org", b"From: "))
    maildir.take()
    assert maildir.messages[0].sender == ""


def test_what_was_rejected_is_failed_and_can_be_sent(maildir, queue):
    maildir.put(f"new/.rejected-{NAME}", ZOPE)
    maildir.take()
    (message,) = maildir.messages
    assert message.state is State.FAILED
    assert {each.state.value for each in message.recipients} == {"failed"}
    assert "refused for good" in message.recipients[0].reply
    with queue.write() as tx:
        assert retry_messages(tx, [message.id], 1.0).changed == (message.id,)
    (message,) = maildir.messages
    assert message.state is State.QUEUED
    assert {each.state.value for each in message.recipients} == {"pending"}


def test_what_was_cut_off_while_it_was_sent_is_queued_as_a_possible_duplicate(maildir):
    path = maildir.put(f"new/{NAME}", ZOPE)
    os.link(path, path.with_name(f".sending-{NAME}"))
    maildir.take()
    (message,) = maildir.messages
    assert message.state is State.QUEUED
    assert message.possible_duplicate
    assert maildir.files == []


def test_a_lonely_sending_file_is_queued_as_a_possible_duplicate(maildir):
    maildir.put(f"cur/.sending-{NAME}", ZOPE)
    maildir.take()
    (message,) = maildir.messages
    assert (message.state, message.possible_duplicate) == (State.QUEUED, True)
    assert maildir.files == []


def test_what_was_cut_off_after_it_was_rejected_is_failed_once(maildir):
    path = maildir.put(f"new/.rejected-{NAME}", ZOPE)
    for name in (NAME, f".sending-{NAME}"):
        os.link(path, path.with_name(name))
    maildir.take()
    (message,) = maildir.messages
    assert (message.state, message.possible_duplicate) == (State.FAILED, False)
    assert maildir.files == []


def test_mail_of_transactions_that_never_committed_stays(maildir):
    maildir.put(f"tmp/{NAME}", ZOPE)
    maildir.put("new/.hidden", ZOPE)
    assert maildir.take() == []
    assert maildir.files == ["new/.hidden", f"tmp/{NAME}"]


def test_a_persons_mailbox_is_not_sent_out(maildir):
    maildir.put(f"new/{NAME}", b"To: b@x.org\nSubject: hello\n\nX-Zope-To: c@x.org\n")
    (left,) = maildir.take()
    assert isinstance(left, Left)
    assert "no envelope" in left.reason
    assert maildir.messages == []
    assert maildir.files == [f"new/{NAME}"]


@pytest.mark.parametrize(
    "broken",
    [
        ZOPE.replace(b"a@x.org", b"\xff@x.org"),
        *(
            REPOZE.replace(b"=?utf-8?q?a=40x", b"=?" + charset + b"?q?a=40x")
            for charset in (b"no-such-charset", b"\0", "utf-ä".encode(), b"\xff")
        ),
        ZOPE.replace(b"b@x.org, C <c@x.org>", b""),
    ],
)
def test_an_envelope_that_no_relay_could_take_leaves_the_mail(broken, maildir):
    maildir.put(f"new/{NAME}", broken)
    assert [type(each) for each in maildir.take()] == [Left]
    assert maildir.files == [f"new/{NAME}"]


def test_a_copy_without_hard_links_is_taken_once_wherever_it_is_cut_off(maildir):
    path = maildir.put(f"new/{NAME}", ZOPE)
    sending = path.with_name(f".sending-{NAME}")
    shutil.copy(path, sending)
    (mail,) = look_through(maildir.directory)
    assert mail.files == (path, sending)
    maildir.take()
    sending.write_bytes(ZOPE)  # as if it was killed before it removed this file
    assert maildir.take() == [Taken(None)]
    assert len(maildir.messages) == 1
    assert maildir.files == []
