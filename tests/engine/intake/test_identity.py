"""Another file is another mail, whatever it has in common with one that was taken."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from engine.intake.drops import (
    MAIL,
    Killed,
    drop,
    kill,
    messages,
    put_back,
)

from collective.maildrophost.engine.intake import Intake
from collective.maildrophost.engine.intake import scan as module


@pytest.mark.parametrize("more", [MAIL, MAIL.replace(b"hello", b"other")])
def test_the_next_file_is_another_mail_however_alike_it_looks(
    queue, spool, tmp_path, intake, more
):
    dropped, kept = drop(spool, "mail-1"), tmp_path / "second-name"
    os.link(dropped, kept)
    for _ in range(3):
        assert intake.scan() == 1
        put_back(kept, dropped, more)
    assert Intake(queue, [spool], add_message_id=True).scan() == 1
    assert len(messages(queue)) == 4


def renewed(dropped: Path) -> int:
    os.replace(drop(dropped.parent, ".new"), dropped)
    return 0


def longer(dropped: Path) -> int:
    dropped.write_bytes(MAIL + b"more\n")
    return 0


def later(dropped: Path) -> int:
    dropped.write_bytes(MAIL.replace(b"hello", b"other"))
    return 1


@pytest.mark.parametrize("change", [renewed, longer, later])
def test_what_differs_in_one_thing_from_a_remembered_file_is_another_mail(
    queue, spool, intake, monkeypatch, change
):
    dropped = drop(spool, "mail-1")
    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", kill)
        with pytest.raises(Killed):
            intake.scan()
    changed_ns = dropped.stat().st_mtime_ns
    changed_ns += change(dropped)
    os.utime(dropped, ns=(changed_ns, changed_ns))
    assert Intake(queue, [spool], add_message_id=True).scan() == 1
    assert len(messages(queue)) == 2


def test_another_mail_in_place_of_a_taken_file_is_not_removed_with_it(
    queue, spool, intake, monkeypatch
):
    dropped, ring = drop(spool, "mail-1"), module.doorbells

    def replace_and_ring(tx):
        monkeypatch.setattr(module, "doorbells", ring)
        os.replace(drop(spool, ".new"), dropped)
        return ring(tx)

    # The last step before the commit, and so before the file is removed.
    monkeypatch.setattr(module, "doorbells", replace_and_ring)
    assert [intake.scan(), intake.scan(), intake.scan()] == [1, 1, 0]
    assert len(messages(queue)) == 2


def test_another_file_with_the_same_name_is_another_mail(queue, spool, intake):
    for _ in range(2):
        drop(spool, "mail-1")
        assert intake.scan() == 1
    assert len(messages(queue)) == 2
