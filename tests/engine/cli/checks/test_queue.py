"""What `check` says of the queue."""

from __future__ import annotations

import contextlib
import os
import sqlite3

import pytest
from engine.cli.checks.findings import failed, texts

from collective.maildrophost.engine.cli.checks import Level
from collective.maildrophost.engine.cli.checks import queue as queue_check
from collective.maildrophost.engine.queue.sqlite import filesystem, lock
from collective.maildrophost.engine.queue.sqlite.database import has_wal_reset_bug


def test_a_queue_that_does_not_open_fails(site):
    (site.home / "queue.db").write_text("this is no database, but long enough " * 99)
    assert "queue.db" in failed(site, "queue")


def test_a_queue_that_no_start_would_make_fails(site):
    """Its file system may not be mounted."""
    nowhere = site.home / "mnt" / "mail"
    site.configure(MAILDROP_QUEUE=f"sqlite:///{nowhere}/queue.db")
    assert f"there is no {nowhere.parent}" in failed(site, "queue")
    assert site.ctl("run").status == 1


@pytest.mark.parametrize("made", ["mail", "var", "spool/of/mail", "var/log"])
def test_a_queue_that_the_first_start_makes_is_fine(made, site):
    site.configure(
        MAILDROP_QUEUE=f"sqlite:///{site.home}/{made}/queue.db",
        MAILDROP_SPOOL=site.home / "spool" / "of" / "mail",
    )
    checked = site.ctl("check", "--json").json
    assert "by the first start" in texts(checked, "queue", "ok")[0]
    assert not (site.home / made / "queue.db").exists()
    assert site.ctl("run", "--once").status == 0
    assert site.ctl("queue").status == 0


def test_an_old_sqlite_is_a_warning(site):
    site.send()
    found = site.ctl("check", "--json").json
    levels = [each["level"] for each in found if "SQLite" in each["text"]]
    old = has_wal_reset_bug(sqlite3.sqlite_version_info)
    assert levels == ["warning" if old else "ok"]


@pytest.mark.parametrize("is_made", [True, False])
def test_a_queue_in_memory_is_a_warning(site, monkeypatch, is_made):
    """Before the first start, too, while there is no mail in it."""
    if is_made:
        site.send()
    monkeypatch.setattr(filesystem, "file_system", lambda path: "tmpfs")
    [found] = [
        each
        for each in queue_check.check(site.configuration)
        if "in memory (tmpfs)" in each.text
    ]
    assert found.level is Level.WARNING
    assert "put MAILDROP_QUEUE on a disk" in found.text


@pytest.mark.parametrize(
    ("user", "level"), [(0, Level.WARNING), (os.getuid() + 77, Level.FAILED)]
)
def test_a_queue_of_another_user_is_named_with_its_owner(
    user, level, site, monkeypatch
):
    site.send()
    (site.home / "queue.db-wal").touch()
    owner = os.getuid() if user else os.getuid() + 1
    real = type(site.path).stat

    def stat(self, **options):
        found = list(real(self, **options))
        found[4] = owner
        return os.stat_result(found)

    monkeypatch.setattr(queue_check.os, "geteuid", lambda: user)
    monkeypatch.setattr(type(site.path), "stat", stat)
    found = list(queue_check._owners(site.home / "queue.db"))
    assert len(found) >= 2
    assert {each.level for each in found} == {level}
    assert "queue.db belongs to user" in found[0].text


def test_a_queue_that_can_only_be_read_fails(site, monkeypatch):
    # Root may write anywhere: the answer of the system is put in its place.
    site.send()
    queue = site.home / "queue.db"
    monkeypatch.setattr(queue_check.os, "access", lambda path, mode: path != queue)
    found = queue_check.check(site.configuration)
    bad = [each.text for each in found if each.level is Level.FAILED]
    assert bad == [f"{queue} is read-only: chmod u+w {queue}"]


def test_the_files_of_ones_own_user_are_fine(site):
    site.send()
    assert list(queue_check._owners(site.home / "queue.db")) == []


def test_a_locked_queue_fails_soon(site):
    site.send()
    with contextlib.closing(
        sqlite3.connect(site.home / "queue.db", isolation_level=None)
    ) as other:
        other.execute("BEGIN IMMEDIATE")
        text = failed(site, "queue")
    assert "locked by another program for 3 seconds" in text
    assert "fuser" in text


def test_a_queue_that_others_write_to_all_the_time_is_waited_for_as_by_mail(
    site, monkeypatch
):
    site.send()
    with contextlib.closing(
        sqlite3.connect(site.home / "queue.db", isolation_level=None)
    ) as busy:
        busy.execute("BEGIN IMMEDIATE")
        monkeypatch.setattr(lock, "pause", lambda seconds: busy.execute("ROLLBACK"))
        assert queue_check._locked(site.home / "queue.db") is None


def test_a_queue_that_may_not_be_opened_fails_with_what_to_look_at(site, monkeypatch):
    # Root may open anything: the answer of SQLite is put in its place.
    site.send()

    def refuse(*arguments, **options):
        raise sqlite3.OperationalError("unable to open database file")

    for driver in (sqlite3, sqlite3.dbapi2):
        monkeypatch.setattr(driver, "connect", refuse)
    first = next(queue_check.check(site.configuration))
    assert first.level is Level.FAILED
    assert "check its permissions, and its directory's" in first.text


def test_the_check_makes_no_queue_where_one_is_moved_away_at_that_moment(
    site, monkeypatch
):
    site.send()
    queue = site.home / "queue.db"

    def move_away(path):
        queue.rename(site.home / "away.db")
        return True

    monkeypatch.setattr(queue_check.os.path, "isfile", move_away)
    assert queue_check._locked(queue) is None
    assert not queue.exists()


def test_a_queue_of_a_later_version_fails(site):
    site.send()
    with contextlib.closing(sqlite3.connect(site.home / "queue.db")) as other:
        other.execute("UPDATE maildrop_schema SET version = 99")
        other.commit()
    text = failed(site, "queue")
    assert "version 99" in text
    assert "install the newer collective.maildrophost" in text


@pytest.mark.parametrize(
    ("version", "level"),
    [((3, 40, 1), Level.WARNING), ((3, 51, 2), Level.WARNING), ((3, 51, 3), Level.OK)],
)
def test_each_sqlite_with_the_wal_reset_bug_is_a_warning(version, level, monkeypatch):
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    assert queue_check._library().level is level
