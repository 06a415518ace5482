"""`stats`: the queue in figures."""

from __future__ import annotations

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


def test_the_hours_of_a_delivery_are_shown(site):
    from servers.catcher import Catcher

    with Catcher() as catcher:
        site.configure(SMTP_PORT=catcher.port)
        site.send()
        assert site.ctl("run", "--once").status == 0
    (hour,) = site.ctl("stats", "--json").json["hours"]
    assert (hour["sent"], hour["deferred"], hour["failed"]) == (1, 0, 0)
    assert "HOUR" in site.ctl("stats").out


def test_the_figures_of_a_queue_that_is_not_there_make_none(site):
    figures = site.ctl("stats", "--json").json
    assert set(figures) >= KEYS
    assert set(figures["states"].values()) == {0}
    assert (figures["daemons"], figures["relay"]) == ([], "ok")
    assert "none is running" in site.ctl("stats").out
    assert not (site.home / "queue.db").exists()
