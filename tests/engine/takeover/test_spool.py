"""A spool of Products.MaildropHost comes over: whole, in order, once."""

from __future__ import annotations

import os

import pytest
from engine.intake.drops import Killed, kill

from collective.maildrophost.engine.intake import Intake, candidates
from collective.maildrophost.engine.intake import scan as intake
from collective.maildrophost.engine.message import Lane, compose
from collective.maildrophost.engine.queue import QueueError, Refused, State
from collective.maildrophost.engine.takeover import (
    Left,
    Taken,
    look_through,
    take,
    taking,
)
from collective.maildrophost.engine.takeover.taking import NothingToTake

# As Products.MaildropHost wrote it.
MAIL = (
    b'##To:b@x.org,"C, Dee" <c@x.org>\n##From:Site <a@x.org>\n'
    b"To: b@x.org\nSubject: hello\n\nbody\n\n"
)


@pytest.fixture
def spool(moved):
    return moved()


def test_a_mail_comes_over_with_its_envelope(spool):
    path = spool.put("123456", MAIL)
    assert spool.take() == [Taken("1")]
    (message,) = spool.messages
    assert message.sender == "a@x.org"
    assert [each.address for each in message.recipients] == ["b@x.org", "c@x.org"]
    assert message.subject == "hello"
    assert message.state is State.QUEUED
    assert message.origin == f"import of {path}"
    assert spool.text(message).endswith(b"To: b@x.org\nSubject: hello\n\nbody\n\n")
    assert spool.files == []


def test_the_oldest_mail_comes_first(spool):
    for name in ("3", "1", "2"):
        spool.put(name, MAIL.replace(b"hello", name.encode()))
    spool.take()
    assert [each.subject for each in spool.messages] == ["3", "1", "2"]


def test_our_own_lines_are_understood(spool):
    spool.put("1", b"##Lane:bulk\n" + MAIL)  # not a mail file: it must start with ##To:
    ours = b"##Lane:bulk\n##At:2100-01-01T00:00:00Z\n##From"
    spool.put("2", MAIL.replace(b"##From", ours))
    spool.take()
    (message,) = spool.messages
    assert (message.lane, message.due) == (Lane.BULK, 4102444800.0)
    assert spool.files == ["1"]


@pytest.mark.parametrize("wanted", [True, False])
def test_a_message_id_is_added_where_the_configuration_wants_one(spool, queue, wanted):
    spool.put("1", MAIL)
    (mail,) = look_through(spool.directory)
    take(queue, mail, wanted)
    (message,) = spool.messages
    assert (b"Message-Id: " in spool.text(message)) is wanted


def test_a_locked_mail_stays_with_its_lock_and_is_named(spool):
    path = spool.put("123456", MAIL)
    spool.put("123456.lck", b"locked")
    (left,) = spool.take()
    assert isinstance(left, Left)
    assert left.path == path
    assert "Remove 123456.lck" in left.reason
    assert spool.files == ["123456", "123456.lck"]
    assert spool.messages == []


def test_what_is_no_mail_is_not_touched(spool):
    for name, data in {"README": b"hello", ".1": MAIL, "empty": b""}.items():
        spool.put(name, data)
    (spool.directory / "folder").mkdir()
    (spool.directory / "folder" / "1").write_bytes(MAIL)
    os.symlink(spool.put("elsewhere.lck", MAIL), spool.directory / "link")
    spool.take()
    assert spool.messages == []
    assert spool.files == [".1", "README", "elsewhere.lck", "empty", "folder/1", "link"]


def test_a_malformed_mail_stays_and_the_others_come(spool):
    bad = spool.put("1", b"##To:nobody at all\n##From:a@x.org\nSubject: x\n\n")
    spool.put("2", MAIL)
    left, taken = spool.take()
    assert isinstance(left, Left)
    assert left.path == bad
    assert "'nobody at all'" in left.reason
    assert isinstance(taken, Taken)
    assert spool.files == ["1"]


def test_a_daemon_that_watches_the_spool_takes_nothing_twice(spool, queue, monkeypatch):
    monkeypatch.setattr(intake, "QUIET_SECONDS", 0.0)
    spool.put("1", MAIL)
    daemon = Intake(queue, [spool.directory], add_message_id=True)
    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", kill)
        with pytest.raises(Killed):
            daemon.scan()
    assert spool.take() == [Taken(None)]
    assert len(spool.messages) == 1
    assert spool.files == []


def test_what_a_daemon_takes_meanwhile_does_not_come_twice(spool, queue, monkeypatch):
    def meanwhile(*arguments, **options):
        assert Intake(queue, [spool.directory], add_message_id=True).scan() == 1
        return compose(*arguments, **options)

    monkeypatch.setattr(intake, "QUIET_SECONDS", 0.0)
    monkeypatch.setattr(taking, "compose", meanwhile)
    path = spool.put("1", MAIL)
    assert spool.take() == [Left(path, taking.TAKEN_AWAY)]
    assert len(spool.messages) == 1


@pytest.mark.parametrize("moment", ["compose", "ring"], ids=["before", "after"])
def test_a_new_mail_of_the_same_name_stays_for_the_next_time(
    spool, monkeypatch, moment
):
    path = spool.put("1", MAIL)
    before = getattr(taking, moment)

    def meanwhile(*arguments, **options):
        monkeypatch.undo()
        path.unlink()
        spool.put("1", MAIL.replace(b"hello", b"the next"))
        return before(*arguments, **options)

    monkeypatch.setattr(taking, moment, meanwhile)
    spool.take()
    assert spool.files == ["1"]
    spool.take()
    subjects = [each.subject for each in spool.messages]
    # Whoever has taken the first one away has its mail.
    first = {"compose": [], "ring": ["hello"]}[moment]
    assert subjects == [*first, "the next"]


def test_a_file_is_on_disk_before_its_mail_is_in_the_queue(spool, monkeypatch):
    spool.put("1", MAIL)

    def refuse(handle):
        raise OSError(5, "no disk")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", refuse)
        (left,) = spool.take()
    assert (left.reason, spool.files, spool.messages) == ("no disk", ["1"], [])


def test_the_name_of_a_file_may_be_any(spool):
    spool.put(os.fsdecode(b"m\xfcll"), MAIL)
    assert spool.take() == [Taken("1")]
    assert spool.files == []


def test_a_file_that_no_daemon_would_take_stays(spool, monkeypatch):
    monkeypatch.setattr(candidates, "LARGEST_FILE_BYTES", len(MAIL))
    most = spool.put("1", MAIL)
    large = spool.put("2", MAIL + b"!")
    assert spool.take() == [
        Taken("1"),
        Left(large, f"{len(MAIL) + 1} bytes, more than the 0 MB that are taken"),
    ]
    assert not most.exists()
    assert large.exists()


def test_a_queue_that_cannot_be_written_leaves_the_mail(spool, queue):
    spool.put("1", MAIL)
    (spool.directory.parent / "queue.db").rename(spool.directory.parent / "away")
    with pytest.raises(QueueError):
        spool.take()
    assert spool.files == ["1"]


def test_what_the_database_refuses_for_good_is_left_and_the_rest_comes_over(
    spool, monkeypatch
):
    import_mail = taking.import_mail

    def refuse(tx, key, message, *more, **options):
        if message.subject == "refused":
            raise Refused("the queue", "a value cannot be stored")
        return import_mail(tx, key, message, *more, **options)

    monkeypatch.setattr(taking, "import_mail", refuse)
    path = spool.put("1", MAIL.replace(b"hello", b"refused"))
    spool.put("2", MAIL)
    assert spool.take() == [Left(path, "a value cannot be stored"), Taken("1")]
    assert spool.files == ["1"]


def test_a_file_that_cannot_be_removed_is_taken_once_and_named(
    spool, queue, monkeypatch
):
    path = spool.put("1", MAIL)

    def refuse(self, missing_ok=False):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "unlink", refuse)
    (first,), (second,) = spool.take(), spool.take()
    monkeypatch.undo()
    assert first.id == "1"
    assert "is message 1 now" in first.stays.reason
    assert second.id is None
    assert "was taken over before" in second.stays.reason
    assert len(spool.messages) == 1
    assert spool.take() == [Taken(None)]
    assert spool.files == []


def test_a_directory_with_other_files_only_is_no_spool(spool):
    for name in ("notes.txt", "numbers.csv", ".hidden", "1.lck"):
        spool.put(name, b"no mail")
    assert spool.take() == [
        Left(
            spool.directory,
            "has nothing that looks like queued mail (2 other files)",
        )
    ]


def test_a_spool_may_have_folders_of_any_name(moved):
    spool = moved("new")
    spool.put("1", MAIL)
    assert spool.take() == [Taken("1")]


def test_other_files_beside_mail_and_an_empty_spool_are_no_fault(spool):
    assert spool.take() == []
    spool.put("notes.txt", b"no mail")
    spool.put("1", MAIL)
    assert spool.take() == [Taken("1")]


def test_a_directory_that_cannot_be_read_is_named(queue, tmp_path):
    with pytest.raises(NothingToTake, match="nowhere cannot be read"):
        list(look_through(tmp_path / "nowhere"))
