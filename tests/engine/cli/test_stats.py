"""`stats`: the queue in figures."""

from __future__ import annotations

import time

from daemons import daemon_seen
from servers.catcher import Catcher

from collective.maildrophost.engine.message import compose
from collective.maildrophost.engine.queue import (
    RelayPause,
    enqueue,
    pause,
    register,
)

KEYS = {"states", "lanes", "oldest_due_seconds", "daemons", "relay", "hours"}


def test_messages_are_counted_by_state_and_lane(site):
    site.send("-f", "a@x.org", "b@x.org", "--lane", "bulk")
    site.ctl("hold", site.send())
    figures = site.ctl("stats", "--json").json
    assert set(figures) >= KEYS
    assert figures["states"]["queued"] == 1
    assert figures["states"]["held"] == 1
    assert figures["lanes"] == {"interactive": 0, "normal": 1, "bulk": 1}
    assert figures["relay"] == "ok"


def test_a_person_reads_the_same_figures(site):
    site.send("-f", "a@x.org", "b@x.org", "--lane", "bulk")
    site.ctl("hold", "--lane", "bulk")
    lines = [line.split() for line in site.ctl("stats").out.splitlines()]
    assert ["queued", "1"] in lines
    assert ["bulk", "1", "held"] in lines
    assert ["Daemons:", "none", "is", "running"] in lines


def test_a_person_reads_what_stops_the_mail_and_for_how_long_it_waits(site):
    now = time.time()
    waits = compose("Subject: x\n\n", "a@x.org", ["b@x.org"], now=now - 7200)
    works = daemon_seen(now, host="far", pid=7, lease_until=now + 3600)
    fault = RelayPause("relay:25", "login refused\x1b[31m", now, now, 1)
    with site.queue() as queue, queue.write() as tx:
        register(tx, works)
        pause(tx, fault)
        enqueue(tx, [waits], now - 7200)
    lines = site.ctl("stats").out.splitlines()
    told = {line.partition(":")[0]: line for line in lines if ":  " in line}
    assert told["Oldest due"].endswith("waits for 2h")
    assert "at fault since 20" in told["Relay"]
    assert told["Relay"].endswith("login refused\\x1b[31m")
    assert told["Daemons"].endswith("pid 7 on far")


def test_the_hours_of_a_delivery_are_shown(site):
    with Catcher() as catcher:
        site.configure(SMTP_PORT=catcher.port)
        site.send()
        assert site.ctl("run", "--once").status == 0
    (hour,) = site.ctl("stats", "--json").json["hours"]
    assert (hour["sent"], hour["deferred"], hour["failed"]) == (1, 0, 0)
    assert "HOUR" in site.ctl("stats").out


def test_the_figures_of_a_queue_that_is_not_there_make_no_queue(site):
    figures = site.ctl("stats", "--json").json
    assert set(figures) >= KEYS
    assert set(figures["states"].values()) == {0}
    assert (figures["daemons"], figures["relay"]) == ([], "ok")
    assert "none is running" in site.ctl("stats").out
    assert not (site.home / "queue.db").exists()
