"""The directories of a configuration, where the daemon has to make them."""

from __future__ import annotations

import os
import signal
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from servers.catcher import Catcher
from waiting import PATIENCE_SECONDS

from collective.maildrophost.engine.config.options import BY_NAME
from collective.maildrophost.engine.daemon.directories import (
    UnusableDirectory,
    check_files,
    check_log_file,
    make_directories,
)


def test_the_name_of_a_new_directory_is_on_disk_before_a_file_is_put_into_it(
    site, monkeypatch
):
    synced = set()
    monkeypatch.setattr(
        os, "fsync", lambda number: synced.add(os.readlink(f"/proc/self/fd/{number}"))
    )
    spool = site.home / "shared" / "spool"
    site.configure(MAILDROP_SPOOL=spool)
    make_directories(site.configuration)
    assert spool.is_dir()
    assert synced == {str(site.home), str(spool.parent)}
    synced.clear()
    make_directories(site.configuration)
    assert not synced


def test_others_may_get_through_what_leads_to_a_private_directory(site):
    spool = site.home / "shared" / "spool"
    site.configure(MAILDROP_SPOOL=spool)
    before = os.umask(0o022)
    make_directories(site.configuration)
    os.umask(before)
    modes = [stat.S_IMODE(each.stat().st_mode) for each in (spool.parent, spool)]
    assert modes == [0o755, 0o700]


def test_another_daemon_may_make_the_directories_at_the_same_moment(site, monkeypatch):
    make = Path.mkdir

    def slower_than_another(path, *arguments, **options):
        if path == spool:
            make(path, parents=True)
        make(path, *arguments, **options)

    spool = site.home / "spool"
    monkeypatch.setattr(Path, "mkdir", slower_than_another)
    make_directories(site.configuration)
    assert spool.is_dir()


def test_a_log_and_a_configuration_may_both_be_the_device_that_holds_nothing(site):
    """As where everything is in environment variables."""
    nothing = Path(os.devnull)
    check_log_file(replace(site.configuration, path=nothing, log_file=nothing))


@pytest.mark.parametrize(
    "option",
    [
        "MAILDROP_PASSWORD_FILE",
        "MAILDROP_TLS_CA_FILE",
        "MAILDROP_OAUTH_CLIENT_SECRET_FILE",
        "MAILDROP_OAUTH_REFRESH_TOKEN_FILE",
    ],
)
def test_no_log_is_added_to_a_file_that_is_read(site, option):
    file = site.home / "read"
    file.touch()
    read = {BY_NAME[option].attribute: str(file)}
    configuration = replace(site.configuration, log_file=file, **read)
    with pytest.raises(UnusableDirectory, match=f"{file} is {option}: name another"):
        check_log_file(configuration)


@pytest.mark.parametrize("beside", ["", "-wal", "-shm", "-journal"])
@pytest.mark.parametrize("option", ["log_file", "pid_file"])
def test_neither_log_nor_pid_file_is_one_of_the_queues_files(site, option, beside):
    """Also where SQLite has none at this moment."""
    file = site.home / f"queue.db{beside}"
    configuration = replace(site.configuration, **{option: file})
    named = f"MAILDROP_{option.upper()} {file}"
    with pytest.raises(UnusableDirectory, match=f"{named} is the queue's own file"):
        check_files(configuration)


def test_a_log_that_nobody_reads_is_refused_and_not_waited_for(site):
    log = site.home / "log"
    os.mkfifo(log)
    site.configure(MAILDROP_LOG_FILE=log)
    with site.start() as process:
        try:
            _, said = process.communicate(timeout=PATIENCE_SECONDS)
        finally:
            process.kill()
    assert process.returncode == 1
    assert f"MAILDROP_LOG_FILE {log}: it is a FIFO that nobody reads" in said.decode()


def test_mail_goes_on_when_a_reload_finds_a_log_that_nobody_reads(told, manager):
    log = told.home / "log"
    os.mkfifo(log)
    reader = os.open(log, os.O_RDONLY | os.O_NONBLOCK)
    with Catcher() as relay:
        told.configure(MAILDROP_LOG_FILE=log, SMTP_PORT=relay.port)
        with told.daemon() as daemon:
            assert manager.next()["READY"] == "1"
            os.close(reader)
            daemon.signal(signal.SIGHUP)
            assert "configuration refused" in manager.next()["STATUS"]
            told.send()
            relay.wait_for(1)
            assert daemon.stop() == 0
