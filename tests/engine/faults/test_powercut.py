"""Row 26: what is acknowledged outlives a power cut; `make proof` tries it for minutes.

The model of a disk, and a recording so short that it only shows that both work.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from proof.powercut.calls import calls
from proof.powercut.cutting import cut
from proof.powercut.databases import SQLite
from proof.powercut.disk import EVERYTHING, NOTHING, Disk, Kept, Names, files_below
from proof.powercut.recording import Recording
from proof.powercut.replay import Replay, Unmodelled
from servers.scripted import Scripted

row = pytest.mark.row
HOME = Path("/home/site")
DICE = random.Random(1)


def quoted(text):
    return '"' + "".join(f"\\x{octet:02x}" for octet in text.encode()) + '"'


def opened(name):
    return "3<" + quoted(f"{HOME}/{name}")[1:-1] + ">"


def path(name):
    return quoted(f"{HOME}/{name}")


def replayed(names, *lines, start=()):
    disk = Disk(HOME, names, dict(start))
    replay = Replay(disk, HOME)
    for call in calls((f"7 {line}\n" for line in lines), HOME):
        replay.do(call)
    return disk


@pytest.fixture
def left(tmp_path):
    """The files that a cut leaves of these calls."""

    def left(*lines, names=Names.STRICT, kept=NOTHING, start=()):
        replayed(names, *lines, start=start).rebuild(tmp_path, kept, DICE)
        return files_below(tmp_path)

    return left


CREATE = f"openat(AT_FDCWD, {path('a')}, O_RDWR|O_CREAT, 0600) = {opened('a')}"
WRITE = f"pwrite64({opened('a')}, {quoted('hello')}, 5, 2) = 5"
SYNC = f"fdatasync({opened('a')}) = 0"
SYNC_HOME = f"fsync(3<{quoted(str(HOME))[1:-1]}>) = 0"
HELLO = {"a": b"\0\0hello"}


def test_what_was_not_synced_may_be_lost_or_kept(left):
    assert left(WRITE, start={"a": b""}) == {"a": b""}
    assert left(WRITE, start={"a": b""}, kept=EVERYTHING) == HELLO


def test_what_was_synced_is_kept(left):
    assert left(WRITE, SYNC, start={"a": b""}) == HELLO


def test_a_sync_covers_only_what_was_written_before_it_began(left):
    begun = f"fdatasync({opened('a')} <unfinished ...>"
    ended = "<... fdatasync resumed>) = 0"
    assert left(begun, WRITE, ended, start={"a": b""}) == {"a": b""}


def test_posix_promises_a_name_when_its_directory_was_synced(left):
    assert left(CREATE, WRITE, SYNC) == {}
    assert left(CREATE, WRITE, SYNC, SYNC_HOME) == HELLO


def test_a_file_that_was_synced_may_keep_its_own_name(left):
    another = CREATE.replace(path("a"), path("b")).replace(opened("a"), opened("b"))
    assert left(CREATE, another, WRITE, SYNC, names=Names.OWN) == HELLO


def test_a_journal_keeps_a_name_with_what_is_synced_later(left):
    assert left(CREATE, WRITE, SYNC, names=Names.JOURNAL) == HELLO


def test_writes_are_torn_at_sectors(left):
    lines = [f"pwrite64({opened('a')}, {quoted('x' * 4096)}, 4096, 0) = 4096"]
    found = left(*lines, start={"a": b"o" * 4096}, kept=Kept(0.5, 512))["a"]
    sectors = {found[start : start + 512] for start in range(0, 4096, 512)}
    assert sectors == {b"x" * 512, b"o" * 512}


def test_a_rename_moves_the_file_with_what_is_unsynced_in_it(left):
    rename = f"rename({path('a')}, {path('b')}) = 0"
    assert left(WRITE, rename, SYNC_HOME, start={"a": b""}) == {"b": b""}
    assert left(WRITE, rename, start={"a": b""}, kept=EVERYTHING)["b"] == HELLO["a"]


def test_a_path_is_relative_to_where_the_programs_work(left):
    rename = f"rename({quoted('a')}, {quoted('in/b')}) = 0"
    start = {"a": b"hello", "in": None}
    assert left(rename, start=start, kept=EVERYTHING) == {"in": None, "in/b": b"hello"}


def test_a_file_that_was_cut_off_has_its_old_end_until_it_is_synced(left):
    truncate = f"truncate({path('a')}, 2) = 0"
    assert left(truncate, start={"a": b"hello"}) == {"a": b"hello"}
    assert left(truncate, SYNC, start={"a": b"hello"}) == {"a": b"he"}


def test_a_call_without_a_meaning_is_an_error():
    with pytest.raises(Unmodelled):
        replayed(Names.STRICT, f"symlink({path('a')}, {path('b')}) = 0")


def test_a_link_from_elsewhere_changes_nothing(left):
    link = f"symlink({path('a')}, {quoted('/elsewhere/link')}) = 0"
    assert left(WRITE, link, SYNC, start={"a": b""}) == HELLO


@pytest.fixture
def recording(site):
    def recording(**changes):
        with Scripted() as relay:
            return Recording(SQLite(site), relay, 0.8, **changes)

    return recording


@row(26)
def test_what_was_promised_outlives_a_power_cut(recording):
    cuts = cut(recording(), Names.JOURNAL, 30, random.Random())
    assert cuts.count
    assert cuts.promises
    assert not cuts.losses


def test_a_queue_that_does_not_sync_is_found_out(recording):
    cuts = cut(recording(synchronous="OFF"), Names.JOURNAL, 40, random.Random(1))
    assert any("is gone after" in loss for loss in cuts.losses)
