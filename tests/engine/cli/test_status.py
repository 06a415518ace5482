"""`status`: whether mail moves, told by the heartbeat."""

from __future__ import annotations

import time
from dataclasses import replace

from daemons import daemon_seen
from engine.cli.checks.findings import texts
from waiting import wait_until

from collective.maildrophost.engine.queue import (
    RelayPause,
    pause,
    register,
)
from collective.maildrophost.engine.system.identity import process_identity

NOW = time.time()
DAY = 86400.0
ELSEWHERE = daemon_seen(
    NOW,
    host="mail2.example.org",
    pid=4711,
    lease_until=NOW + DAY,  # Other tests may take hours before.
)


def write(site, operation, *arguments) -> None:
    with site.queue() as queue, queue.write() as tx:
        operation(tx, *arguments)


def test_without_a_daemon_the_exit_status_is_3(site):
    ended = site.ctl("status")
    assert ended.status == 3
    assert ended.out.startswith("not running")
    as_json = site.ctl("status", "--json")
    assert as_json.status == 3
    assert as_json.json == {
        "running": False,
        "daemons": [],
        "lost": [],
        "relay": "ok",
        "in_doubt": 0,
        "put_aside": 0,
        "held_lanes": [],
    }


def test_a_daemon_on_another_machine_counts(site):
    write(site, register, ELSEWHERE)
    ended = site.ctl("status")
    assert ended.status == 0
    assert ended.out.startswith("running, pid 4711 on mail2.example.org, since ")
    assert ended.out.endswith("relay relay:25 ok\n")


def test_a_fault_of_the_relay_is_told_with_its_time(site):
    write(site, register, ELSEWHERE)
    write(site, pause, RelayPause("relay:25", "login refused\x1b[31m", NOW, NOW, 1))
    ended = site.ctl("status")
    assert ended.status == 0
    assert "at fault since 20" in ended.out
    assert "login refused\\x1b[31m" in ended.out
    relay = site.ctl("status", "--json").json["relay"]
    assert relay["fault"] == "login refused\x1b[31m"


def test_a_fault_of_a_relay_that_no_daemon_uses_is_not_shown(site):
    write(site, register, ELSEWHERE)
    write(site, pause, RelayPause("old-relay:25", "refused", NOW, NOW, 1))
    assert site.ctl("status").out.endswith("relay relay:25 ok\n")
    assert site.ctl("status", "--json").json["relay"] == "ok"


def test_a_fault_that_the_last_daemon_found_is_told_as_stats_tells_it(site):
    site.configure(SMTP_HOST="relay:25")
    write(site, pause, RelayPause("relay:25", "login refused", NOW, NOW, 1))
    ended = site.ctl("status")
    assert ended.status == 3
    assert ended.out.startswith("not running")
    assert "at fault since 20" in ended.out
    relay = site.ctl("status", "--json").json["relay"]
    assert relay == site.ctl("stats", "--json").json["relay"]
    assert relay["fault"] == "login refused"


def test_without_a_daemon_the_fault_of_a_relay_that_was_replaced_is_not_told(site):
    """`run --once` of a cron table sends through the new one, and never tries the old
    one again."""
    site.configure(SMTP_HOST="relay:25;relay2:25")
    write(site, pause, RelayPause("old-relay:25", "refused", NOW, NOW, 1))
    assert "refused" not in site.ctl("status").out
    assert site.ctl("status", "--json").json["relay"] == "ok"
    assert site.ctl("stats", "--json").json["relay"] == "ok"


def test_a_daemon_that_went_with_its_machine_is_not_running_after_the_reboot(site):
    """Its lease runs on: `status || start` of a cron table would start nothing."""
    _boot, *rest = process_identity().split()
    before = " ".join(["another-boot", *rest])
    write(site, register, replace(ELSEWHERE, process=before))
    assert site.ctl("status").status == 3


def test_a_daemon_that_beats_no_more_is_not_running(site):
    seen = time.time() - 7200
    write(site, register, replace(ELSEWHERE, seen=seen, lease_until=seen + 60))
    ended = site.ctl("status")
    assert ended.status == 3
    assert "pid 4711 on mail2.example.org gave no sign of life for 2h" in ended.out


def test_a_daemon_that_runs_and_cannot_write_is_not_said_to_be_killed(site):
    """On a full disk a restart would lose the verdicts that it keeps."""
    seen = time.time() - 7200
    silent = replace(ELSEWHERE, seen=seen, lease_until=seen + 60)
    write(site, register, replace(silent, process=process_identity()))
    ended = site.ctl("status")
    assert ended.status == 3
    assert ended.out.startswith("no daemon works: mail waits in the queue\n")
    assert "gave no sign of life for 2h, but runs: " in ended.out
    assert "before you restart it" in ended.out
    (told,) = texts(site.ctl("check", "--json").json, "daemon", "failed")
    assert told.startswith("pid 4711 runs, but gives no sign of life: ")
    assert "'start'" not in told


def test_messages_of_a_transaction_that_never_ended_are_told(site):
    site.prepare("one", "two")
    ended = site.ctl("status")
    assert "2 prepared messages left by" in ended.out
    assert "--state prepared" in ended.out
    assert site.ctl("status", "--json").json["in_doubt"] == 2


def test_messages_whose_move_to_another_queue_broke_off_are_told(site):
    site.prepare("one", "two")
    write(site, put_aside)
    ended = site.ctl("status")
    assert "2 prepared messages on the way to another queue" in ended.out
    assert "never ended" not in ended.out
    assert site.ctl("status", "--json").json["put_aside"] == 2
    (told,) = (
        each
        for each in site.ctl("check", "--json").json
        if "on the way to another queue" in each["text"]
    )
    assert (told["level"], told["text"].split()[0]) == ("warning", "2")


def test_a_lane_that_a_person_holds_is_told(site):
    site.send()
    assert site.ctl("hold", "--lane", "bulk").status == 0
    assert "lane bulk is held" in site.ctl("status").out
    assert site.ctl("status", "--json").json["held_lanes"] == ["bulk"]
    (told,) = (
        each
        for each in site.ctl("check", "--json").json
        if "lane bulk is held" in each["text"]
    )
    assert told["level"] == "warning"
    assert "'release --lane bulk' lets it go on" in told["text"]


def put_aside(tx):
    tx.exec_driver_sql("UPDATE maildrop_schedule SET batch = 'transfer-queued'")


def test_a_daemon_in_the_foreground_is_seen_and_its_kill_at_once(site):
    with site.background("run") as daemon:
        wait_until(lambda: site.ctl("status").status == 0, what="the daemon")
        assert f"pid {daemon.pid} " in site.ctl("status").out
        daemon.process.kill()
        daemon.process.wait()
        assert site.ctl("status").status == 3
