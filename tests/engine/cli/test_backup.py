"""`maildropctl backup` while a daemon runs; what it refuses."""

from __future__ import annotations

import shutil
import stat

from servers.catcher import Catcher
from waiting import wait_until


def test_a_backup_while_the_daemon_runs_can_be_restored(site):
    with Catcher() as catcher:
        site.configure(SMTP_PORT=catcher.port)
        site.send(subject="before")
        site.ctl("hold", "--all")
        target = site.home / "queue-backup.db"
        with site.background("run"):
            wait_until(lambda: site.ctl("status").status == 0, what="the daemon")
            ended = site.ctl("backup", str(target))
            assert (ended.status, ended.err) == (0, "")
            assert ended.out.startswith(f"{target}: ")
            site.ctl("release", "--all")
            wait_until(lambda: catcher.messages, what="the mail")
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    for name in ("queue.db", "queue.db-wal", "queue.db-shm"):
        (site.home / name).unlink(missing_ok=True)
    shutil.copy(target, site.home / "queue.db")
    (message,) = site.ctl("queue", "--json").json
    assert (message["subject"], message["state"]) == ("before", "held")


def test_json_names_the_file_and_its_size(site):
    site.send()
    target = site.home / "copy.db"
    ended = site.ctl("backup", str(target), "--json")
    assert ended.json == {"file": str(target), "bytes": target.stat().st_size}


def test_a_file_that_is_there_is_not_overwritten(site):
    site.send()
    target = site.home / "mine"
    target.write_text("mine")
    ended = site.ctl("backup", str(target))
    assert ended.status == 1
    assert "not overwritten: name a new file" in ended.err
    assert target.read_text() == "mine"


def test_without_a_queue_there_is_nothing_to_copy(site):
    ended = site.ctl("backup", str(site.home / "copy.db"))
    assert ended.status == 1
    assert "no queue yet" in ended.err
    assert not (site.home / "queue.db").exists()
