"""A token is replaced as a whole; files left by killed processes go, others stay."""

from __future__ import annotations

import fcntl
import os
import stat
from pathlib import Path

import pytest
from engine.halfway import half_way

from collective.maildrophost.engine.config import Secret
from collective.maildrophost.engine.tokens.replacing import write

REPLACES = """
import os, pathlib, sys
from collective.maildrophost.engine.config import Secret
from collective.maildrophost.engine.tokens.replacing import write
replace = os.replace
def wait(*names):
    stand_still()
    replace(*names)
os.replace = wait
write(pathlib.Path(sys.argv[1]), Secret("of another"))
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "token"
    path.write_text("old\n")
    return path


@pytest.fixture
def another(file):
    """Another process that is about to replace the token; does so at end of input."""
    with half_way(REPLACES, file) as process:
        yield process


def beside(file: Path) -> list[str]:
    return sorted(set(os.listdir(file.parent)) - {file.name})


def test_what_a_killed_one_has_left_goes_when_the_next_is_in_place(file, another):
    another.kill()
    another.wait()
    assert len(beside(file)) == 1
    write(file, Secret("new"))
    assert file.read_text() == "new\n"
    assert beside(file) == []


def test_the_name_is_on_disk_before_what_was_left_goes(file, monkeypatch):
    """A power cut must leave one that the provider still takes."""
    file.with_name(".token.12345678.partial").write_text("of a killed one")
    synced: list[tuple[str, list[str]]] = []
    sync = os.fsync

    def watched(handle):
        sync(handle)
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            synced.append((file.read_text(), beside(file)))

    monkeypatch.setattr(os, "fsync", watched)
    write(file, Secret("new"))
    assert synced == [("new\n", [".token.12345678.partial"])]
    assert beside(file) == []


def test_what_a_killed_one_has_left_stays_while_the_next_is_not_in_place(
    file, another, monkeypatch
):
    """It may be the only token that the provider still takes."""
    another.kill()
    another.wait()
    left = beside(file)

    def refuse(*names):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(PermissionError):
        write(file, Secret("new"))
    assert beside(file) == left
    assert file.read_text() == "old\n"


def test_what_a_living_one_writes_stays(file, another):
    (unfinished,) = beside(file)
    write(file, Secret("new"))
    assert beside(file) == [unfinished]
    another.communicate()
    assert another.returncode == 0
    assert file.read_text() == "of another\n"
    assert beside(file) == []


def test_a_file_that_was_removed_before_its_lock_is_made_anew(file, monkeypatch):
    lock, taken = fcntl.flock, []

    def take_first(handle, how):
        if not taken:
            taken.extend(beside(file))
            file.with_name(taken[0]).unlink()
        lock(handle, how)

    monkeypatch.setattr(fcntl, "flock", take_first)
    write(file, Secret("new"))
    assert taken
    assert file.read_text() == "new\n"
    assert beside(file) == []


def test_what_root_writes_belongs_to_the_owner_before(file, monkeypatch):
    """`check` as root must not take the token away from the daemon's user."""
    given: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "fchown", lambda _, *owner: given.append(owner))
    found = file.stat()
    write(file, Secret("new"))
    assert given == [(found.st_uid, found.st_gid)]
    assert file.read_text() == "new\n"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_the_daemons_user_reads_what_root_has_written(file):
    os.chown(file, 65534, 65534)
    write(file, Secret("new"))
    found = file.stat()
    assert (found.st_uid, found.st_gid) == (65534, 65534)
    assert stat.S_IMODE(found.st_mode) == 0o600


def test_what_belongs_to_another_file_stays(file):
    others = [
        ".token.12345678",
        ".token.old.12345678.partial",
        ".tokens.12345678.partial",
    ]
    for name in others:
        file.with_name(name).write_text("of another")
    write(file, Secret("new"))
    assert beside(file) == sorted(others)


def test_without_locks_a_token_is_replaced_and_nobodys_file_removed(file, monkeypatch):
    def refuse(handle, how):
        raise OSError(37, "No locks available")

    unfinished = file.with_name(".token.12345678.partial")
    unfinished.write_text("of nobody knows whom")
    monkeypatch.setattr(fcntl, "flock", refuse)
    write(file, Secret("new"))
    assert file.read_text() == "new\n"
    assert beside(file) == [unfinished.name]
