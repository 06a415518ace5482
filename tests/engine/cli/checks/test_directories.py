"""What `check` says of directories and of the log."""

from __future__ import annotations

import os
import resource

import pytest
from engine.cli.checks.findings import failed

from collective.maildrophost.engine.cli.checks import (
    Level,
    directories,
    queue,
)
from collective.maildrophost.engine.daemon.directories import (
    UnusableDirectory,
    make_directories,
)


@pytest.mark.parametrize("name", ["spool", "var"])
def test_a_file_in_the_place_of_a_directory_fails(name, site):
    (site.home / name).write_text("")
    text = failed(site, "directories")
    (site.home / name).unlink()
    assert str(site.home / name) in text


def test_a_directory_that_is_not_writable_fails(site, monkeypatch):
    # Root may write anywhere: the answer of the system is put in its place.
    (site.home / "spool").mkdir()
    monkeypatch.setattr(
        directories.os, "access", lambda path, mode: "spool" not in str(path)
    )
    bad = [each for each in directories.check(site.configuration) if each.level != "ok"]
    (finding,) = bad
    assert f"{site.home}/spool (MAILDROP_SPOOL) is not writable" in finding.text


@pytest.mark.parametrize("option", ["MAILDROP_SPOOL", "MAILDROP_LOG_FILE"])
def test_what_fails_stops_the_start_and_nothing_else_does(site, monkeypatch, option):
    """A drop directory must be read; beside a log or a pid file none need be made."""
    for name in ("spool", "var", "logs", "run"):
        (site.home / name).mkdir()
    pid_file = site.home / "run" / "maildrop.pid"
    pid_file.touch()
    log = site.home / "logs" / "maildrop.log"
    site.configure(MAILDROP_PID_FILE=pid_file, MAILDROP_LOG_FILE=log)
    named = {"MAILDROP_SPOOL": site.home / "spool", "MAILDROP_LOG_FILE": log.parent}
    lacking = {
        site.home / "run": os.W_OK,
        site.home / "spool": os.R_OK if option == "MAILDROP_SPOOL" else 0,
        log.parent: os.W_OK if option == "MAILDROP_LOG_FILE" else 0,
    }
    monkeypatch.setattr(
        directories.os, "access", lambda path, mode: not mode & lacking.get(path, 0)
    )
    found = directories.check(site.configuration)
    (bad,) = [each for each in found if each.level is Level.FAILED]
    assert bad.text.startswith(f"{named[option]} ({option}) is not ")
    started = {**named, "MAILDROP_LOG_FILE": f"{log}: its directory"}
    with pytest.raises(UnusableDirectory, match=f"{option} {started[option]} is not "):
        make_directories(site.configuration)


def test_a_directory_with_two_uses_must_do_for_both(site, monkeypatch):
    """What is dropped has to be read, and all else is only written."""
    site.configure(MAILDROP_SPOOL=site.home)
    refused = site.home, os.R_OK
    monkeypatch.setattr(
        directories.os, "access", lambda path, mode: (path, mode) != refused
    )
    with pytest.raises(UnusableDirectory, match=r"MAILDROP_HOME .* is not readable"):
        make_directories(site.configuration)


@pytest.fixture
def full():
    """No file of this process can become larger than one of a few octets."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_without_room_fails(site, full):
    found = [*directories.check(site.configuration)]
    assert {each.level for each in found} == {Level.FAILED, Level.OK}
    (bad,) = [each for each in found if each.level is Level.FAILED]
    assert bad.text.startswith(f"{site.home} (MAILDROP_HOME) takes no file: File too")
    assert [each.name for each in site.home.iterdir()] == ["maildrop.conf"]


def test_a_queue_without_room_for_another_mail_fails(site, request):
    site.send()
    request.getfixturevalue("full")
    bad = [each for each in queue.check(site.configuration) if each.level == "failed"]
    assert bad[-1].text.startswith(f"no mail can be queued in {site.home}: File too")
    assert bad[-1].text.endswith(": free space there")


def found_of_the_log(site):
    (finding,) = [
        each
        for each in directories.check(site.configuration)
        if "(MAILDROP_LOG_FILE)" in each.text
    ]
    return finding


def test_a_log_of_another_user_fails(site, monkeypatch):
    log = site.home / "var" / "maildrop.log"
    log.parent.mkdir()
    log.touch()
    monkeypatch.setattr(directories.os, "access", lambda path, mode: path != log)
    finding = found_of_the_log(site)
    assert finding.level is Level.FAILED
    assert finding.text.startswith(f"{log} (MAILDROP_LOG_FILE) is not writable")


def test_a_log_that_is_a_directory_fails(site):
    (site.home / "var" / "maildrop.log").mkdir(parents=True)
    assert found_of_the_log(site).level is Level.FAILED
    assert site.ctl("start").status == 1


def test_a_pid_file_that_is_a_directory_fails(site):
    file = site.home / "var" / "maildrop.pid"
    file.mkdir(parents=True)
    text = failed(site, "directories")
    assert text.startswith(f"{file} (MAILDROP_PID_FILE) is a directory")
    assert site.ctl("run").status == 1


def test_a_pid_file_that_is_the_configuration_fails(site):
    site.configure(MAILDROP_PID_FILE=site.path)
    text = failed(site, "directories")
    assert text.startswith(f"{site.path} (MAILDROP_PID_FILE) is no pid file")
    assert site.ctl("run").status == 1


def test_a_pid_file_that_is_one_of_the_queues_fails(site):
    file = site.home / "queue.db-wal"
    site.configure(MAILDROP_PID_FILE=file)
    text = failed(site, "directories")
    assert text.startswith(f"{file} (MAILDROP_PID_FILE) is the queue's own file")
    assert site.ctl("run").status == 1
    assert site.path.exists()


@pytest.mark.parametrize("spoilt", ["queue.db", "maildrop.conf"])
def test_a_log_that_would_spoil_another_file_fails(spoilt, site):
    file = site.home / spoilt
    site.configure(MAILDROP_LOG_FILE=file)
    site.send()
    before = file.read_bytes()
    text = failed(site, "directories")
    assert text.startswith(f"{file} (MAILDROP_LOG_FILE) is the ")
    assert site.ctl("run", "--once").err.startswith("maildropctl: MAILDROP_LOG_FILE ")
    assert file.read_bytes() == before


def test_a_log_that_can_be_written_is_fine_where_no_other_can_be_made(
    site, tmp_path, monkeypatch
):
    log = tmp_path / "logs" / "maildrop.log"
    log.parent.mkdir()
    log.touch()
    site.configure(MAILDROP_LOG_FILE=log)
    monkeypatch.setattr(directories.os, "access", lambda path, mode: path != log.parent)
    assert found_of_the_log(site).level is Level.OK


def test_a_home_that_nobody_may_look_at_does_not_end_the_check(site):
    # Root may look everywhere; a name too long for any file fails in the same way.
    site.configure(MAILDROP_HOME=f"{site.home}/{'x' * 300}/home")
    found = site.ctl("check", "--json").json
    said = {(each["subject"], each["level"]) for each in found}
    assert {("queue", "failed"), ("daemon", "failed")} <= said
    assert {"directories", "relay", "clock"} <= {subject for subject, _ in said}


def test_a_directory_out_of_reach_is_not_said_to_be_made_by_the_first_start(
    site, monkeypatch
):
    monkeypatch.setattr(directories.os, "access", lambda path, mode: mode != os.X_OK)
    (finding,) = [
        each for each in directories.check(site.configuration) if "spool" in each.text
    ]
    assert finding.text.endswith(
        f"is out of reach for this user: change the mode of {site.home}"
    )
