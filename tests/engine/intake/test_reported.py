"""What stays is reported once, and tried again when it may have been mended."""

from __future__ import annotations

import errno

import pytest
from engine.intake.drops import MAIL, drop, errors
from waiting import wait_until

from collective.maildrophost.engine.intake import candidates, reports
from collective.maildrophost.engine.intake import scan as module
from collective.maildrophost.engine.queue import Refused


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"##To:b@x.org\nSubject: x\n\n", "##From:"),
        (b"##To:\n##From:a@x.org\nSubject: x\n\n", "no recipient"),
        (b"##To:b@x.org\n##From:a@x.org\n##Lane:fast\n\nx", "lane"),
        (b"##To:b@x.org\n##From:a@x.org\n", "no message"),
        (b"##To:b@x.org\n##Reply:a@x.org\n\nx", "unknown line"),
    ],
)
def test_a_malformed_file_is_reported_once_and_stays(
    spool, intake, caplog, data, words
):
    bad, good = drop(spool, "bad", data), drop(spool, "good")
    assert intake.scan() == 1
    assert intake.scan() == 0
    (error,) = errors(caplog)
    assert str(bad) in error
    assert words in error
    assert bad.read_bytes() == data
    assert not good.exists()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "unexpected error (MemoryError)"),
        (RuntimeError("it quotes a secret"), "unexpected error (RuntimeError)"),
        (Refused("the queue", "a value cannot be stored"), "cannot be stored"),
        (OSError(errno.EIO, "Input/output error"), "it is: [Errno 5] Input/output"),
    ],
)
def test_a_file_that_breaks_the_program_is_reported_once_and_the_others_go_on(
    spool, intake, monkeypatch, caplog, error, words
):
    take = module.take_file

    def taking(tx, key, message, now):
        if message.subject == "bad":
            raise error
        return take(tx, key, message, now)

    monkeypatch.setattr(module, "take_file", taking)
    bad = drop(spool, "bad", MAIL.replace(b"hello", b"bad"))
    good = drop(spool, "good")
    assert [intake.scan(), intake.scan()] == [1, 0]
    (message,) = errors(caplog)
    assert message.startswith(f"{bad} is left where it is: ")
    assert words in message
    assert ("Traceback" in caplog.text) == ("unexpected" in words)
    assert "secret" not in caplog.text
    assert bad.exists()
    assert not good.exists()


def test_a_malformed_file_that_was_mended_is_taken(spool, intake, caplog):
    bad = drop(spool, "bad", b"##To:b@x.org\n\nx")
    intake.scan()
    bad.write_bytes(MAIL.replace(b"##From:", b"##Sender:"))
    intake.scan()
    assert ["no ##From:" in each for each in errors(caplog)] == [True, False]
    bad.write_bytes(MAIL)
    assert intake.scan() == 1


def test_a_file_that_is_too_large_is_reported_once(spool, intake, caplog, monkeypatch):
    monkeypatch.setattr(candidates, "LARGEST_FILE_BYTES", len(MAIL) - 1)
    dropped = drop(spool, "huge")
    assert intake.scan() == intake.scan() == 0
    assert len(errors(caplog)) == 1
    assert dropped.exists()


def test_a_directory_that_is_gone_is_reported_once_and_heals(spool, intake, caplog):
    for times in (1, 2):
        spool.rmdir()
        intake.scan()
        intake.scan()
        assert len(errors(caplog)) == times
        spool.mkdir()
        drop(spool, "mail-1")
        assert intake.scan() == 1


def test_a_reported_file_with_other_permissions_is_tried_at_once(
    spool, intake, monkeypatch, caplog
):
    def refuse(data):
        raise PermissionError(errno.EACCES, "Permission denied")

    dropped = drop(spool, "mail-1")
    with monkeypatch.context() as patch:
        patch.setattr(module.mailfile, "parse", refuse)
        assert intake.scan() == 0
    assert len(errors(caplog)) == 1
    assert intake.scan() == 0
    wait_until(lambda: dropped.chmod(0o640) or intake.scan(), what="the file's turn")


@pytest.mark.parametrize(("seconds", "tries"), [(0.0, 3), (1_000_000.0, 1)])
def test_a_reported_file_is_tried_again_in_silence_after_a_while(
    spool, intake, monkeypatch, caplog, seconds, tries
):
    monkeypatch.setattr(reports, "LOOK_AGAIN_SECONDS", seconds)
    reads = []
    parse = module.mailfile.parse
    monkeypatch.setattr(
        module.mailfile, "parse", lambda data: reads.append(data) or parse(data)
    )
    drop(spool, "bad", b"##To:b@x.org\nSubject: x\n\n")
    assert [intake.scan() for _ in range(3)] == [0, 0, 0]
    assert len(reads) == tries
    assert len(errors(caplog)) == 1
