"""The pages about monitoring name what there is; an unreadable queue is not healthy."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from prometheus_client.parser import text_string_to_metric_families
from waiting import PATIENCE_SECONDS

from collective.maildrophost.engine.config import ConfigurationError, load
from collective.maildrophost.engine.delivery.finished import Finished
from collective.maildrophost.engine.message import Lane
from collective.maildrophost.engine.metrics import Monitoring, library
from collective.maildrophost.engine.metrics import monitoring as module
from collective.maildrophost.engine.metrics.exposition import Exposition
from collective.maildrophost.engine.metrics.figures import Reader
from collective.maildrophost.engine.metrics.gauges import gauges
from collective.maildrophost.engine.metrics.http import listening
from collective.maildrophost.engine.verdict import Outcome, Verdict

DOCS = Path(__file__).parents[3] / "docs"
ALERTS = DOCS / "monitoring" / "alerts.yml"
DASHBOARD = DOCS / "monitoring" / "grafana.json"
TABLE = DOCS / "monitoring.md"
NAME = re.compile(r"\bmaildrop_[a-z_]+\b")


@pytest.fixture
def configuration(tmp_path):
    path = tmp_path / "maildrop.conf"
    path.write_text(f'MAILDROP_HOME="{tmp_path}"\nMAILDROP_METRICS=9180\n')
    return load(path, {})


@pytest.fixture
def told(queue) -> str:
    """All that a daemon tells, with a relay at fault and a mail that it took before."""
    watch = Reader(queue)
    with queue.write() as tx:
        tx.exec_driver_sql(
            "INSERT INTO maildrop_relay VALUES ('relay:25', 'down', 1, 2, 1, FALSE)"
        )
    exposition = Exposition(lambda: gauges(watch.look(3.0), 0))
    claim = SimpleNamespace(since=1.0, lane=Lane.NORMAL)
    taken = ((0, Verdict(Outcome.SENT, "250 ok")),)
    settlement = SimpleNamespace(relay="relay:25", verdicts=taken)
    exposition.observe(Finished(claim, settlement), 3.0)
    return exposition.text().decode()


@pytest.fixture
def names(told) -> set[str]:
    """Every name among it."""
    return set(re.findall(r"^# TYPE (maildrop_\w+)", told, re.MULTILINE))


def base(name: str) -> str:
    return re.sub(r"_(bucket|sum|count|created)$", "", name)


def test_the_page_has_every_name_and_no_other(names):
    rows = [line for line in TABLE.read_text().splitlines() if line.startswith("| `m")]
    told = {name for row in rows for name in NAME.findall(row.split("|")[1])}
    assert told == {name for name in names if not name.endswith("_created")}


def test_the_page_has_the_labels_of_each_name(told):
    rows = [
        line.split("|")
        for line in TABLE.read_text().splitlines()
        if line.startswith("| `m")
    ]
    expected = {
        name: set(re.findall(r"`(\w+)`", row[2]))
        for row in rows
        for name in NAME.findall(row[1])
    }
    labels = {
        base(sample.name): {*sample.labels} - {"le"}
        for family in text_string_to_metric_families(told)
        for sample in family.samples
    }
    assert {name: labels[name] for name in expected} == expected


def test_sent_mail_is_counted_as_an_attempt_and_not_as_queued(told):
    assert 'maildrop_attempts_total{outcome="sent",relay="relay:25"} 1.0' in told
    assert 'maildrop_delivery_seconds_sum{lane="normal"} 2.0' in told
    assert 'state="sent"' not in told


@pytest.mark.parametrize("page", [ALERTS, DASHBOARD], ids=lambda page: page.name)
def test_rules_and_dashboard_ask_for_what_there_is(page, names):
    used = {base(name) for name in NAME.findall(page.read_text())}
    assert used <= names
    assert len(used) > 5


def test_the_dashboard_can_be_read_and_no_panel_hides_another():
    panels = json.loads(DASHBOARD.read_text())["panels"]
    assert panels
    places = [each["gridPos"] for each in panels]
    cells = [
        (place["x"] + x, place["y"] + y)
        for place in places
        for x in range(place["w"])
        for y in range(place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert len({each["id"] for each in panels}) == len(panels)


def test_every_alert_says_how_bad_it_is_and_what_it_means():
    rules = ALERTS.read_text().split("- alert: ")[1:]
    assert rules
    for rule in rules:
        assert all(word in rule for word in ("expr:", "severity:", "summary:")), rule


@pytest.mark.skipif(
    not shutil.which("promtool") and "CI" not in os.environ,
    reason="Prometheus is not here",
)
def test_prometheus_takes_the_rules():
    command = ["promtool", "check", "rules", str(ALERTS)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_a_queue_that_cannot_be_read_is_not_healthy(configuration, queue):
    watched = Monitoring(configuration, queue, "owner", lambda: 0)
    queue.close()
    queue.path.unlink()
    queue.path.mkdir()
    page = asyncio.run(watched._answer("/health"))
    assert page.status == 503
    health = json.loads(page.body)
    assert (health["working"], health["reason"]) == (False, "unreadable")
    metrics = asyncio.run(watched._answer("/metrics")).body.decode()
    assert "maildrop_queue_readable 0.0" in metrics
    assert "maildrop_messages" not in metrics


def test_without_the_extra_the_error_says_what_to_install(configuration, monkeypatch):
    monkeypatch.setattr(library, "find_spec", lambda name: None)
    with pytest.raises(ConfigurationError, match=r"maildrophost\[metrics\]"):
        library.check_library(configuration)


def test_an_address_that_is_taken_is_reported_once_and_used_when_it_is_free(
    configuration, queue, monkeypatch, caplog
):
    tries: list[tuple[str, int]] = []
    had = asyncio.Event()

    def taken_at_first(host, port, answer):
        tries.append((host, port))
        if len(tries) < 4:
            raise OSError(errno.EADDRINUSE, "Address already in use")
        had.set()
        return listening("127.0.0.1", 0, answer)

    async def story() -> None:
        watched = Monitoring(configuration, queue, "owner", lambda: 0)
        running = asyncio.create_task(watched.run())
        await asyncio.wait_for(had.wait(), PATIENCE_SECONDS)
        running.cancel()

    monkeypatch.setattr(module, "AGAIN_SECONDS", 0.001)
    monkeypatch.setattr(module, "listening", taken_at_first)
    asyncio.run(story())
    assert set(tries) == {("127.0.0.1", 9180)}
    (error,) = [each for each in caplog.records if each.levelname == "ERROR"]
    assert "already in use; mail goes on" in error.message
