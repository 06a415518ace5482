"""A daemon with MAILDROP_METRICS answers Prometheus and whoever asks for its health."""

from __future__ import annotations

import json
import re
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from daemons import daemon_seen
from prometheus_client.parser import text_string_to_metric_families
from servers.catcher import Catcher
from servers.scripted import Scripted
from servers.unused import unused
from waiting import PATIENCE_SECONDS, wait_until

from collective.maildrophost.engine.message import Lane
from collective.maildrophost.engine.queue import (
    RelayPause,
    State,
    hold_lane,
    pause,
    register,
)

WITHOUT_THE_EXTRA = (
    sys.executable,
    "-c",
    "import sys; sys.modules['prometheus_client'] = None; "
    "from collective.maildrophost.engine.cli import main; sys.exit(main())",
)


class Answers:
    """What is found at the address of the metrics."""

    def __init__(self, port: int) -> None:
        self.port = port

    def get(self, path: str) -> tuple[int, str]:
        try:
            url = self._url(path)
            with urllib.request.urlopen(url, timeout=PATIENCE_SECONDS) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def is_there(self) -> bool:
        try:
            self.get("/")
        except OSError:
            return False
        return True

    @property
    def health(self) -> tuple[int, dict[str, object]]:
        status, text = self.get("/health")
        return status, json.loads(text)

    @property
    def samples(self) -> dict[tuple[str, ...], float]:
        """Every sample by its name and the values of its labels."""
        status, text = self.get("/metrics")
        assert status == 200, text
        return {
            (sample.name, *(sample.labels[each] for each in sorted(sample.labels))): (
                sample.value
            )
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def _url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"


@pytest.fixture
def watched(site) -> Iterator[Answers]:
    """Configures the site to be watched at a port that nobody else gets."""
    with unused() as port:
        site.configure(MAILDROP_METRICS=f"127.0.0.1:{port}")
        yield Answers(port)


def test_attempts_and_delivery_times_are_counted(site, watched, make_mail):
    answers = {"RCPT:bad@x.org": "550 5.1.1 no", "RCPT:late@x.org": "450 4.2.0 later"}
    with Scripted(answers) as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_RETRY_MIN=3600)
        with site.daemon():
            (one,) = site.send(make_mail("b@x.org", "bad@x.org", "c@x.org"))
            (two,) = site.send(make_mail("late@x.org", lane=Lane.BULK))
            (three,) = site.send(make_mail("d@x.org", lane=Lane.INTERACTIVE))
            site.wait_for(one, State.FAILED)
            site.wait_for(two, State.DEFERRED)
            site.wait_for(three, State.SENT)
            wait_until(watched.is_there, what="the metrics")
            host = f"127.0.0.1:{relay.port}"

            def attempts() -> list[float]:
                found = watched.samples
                names = ("sent", "deferred", "failed")
                keys = [("maildrop_attempts_total", each, host) for each in names]
                # A verdict is there once it was counted first.
                return [found.get(key, 0.0) for key in keys]

            # Counted once they are in the queue. The notification of the failure is
            # sent, too.
            wait_until(lambda: attempts() in ([3, 1, 1], [4, 1, 1]), what="the count")
            found = watched.samples
            assert found[("maildrop_delivery_seconds_count", "interactive")] == 1
            assert found[("maildrop_delivery_seconds_count", "bulk")] == 0
            assert found[("maildrop_delivery_seconds_bucket", "interactive", "30.0")]
            assert found[("maildrop_delivery_seconds_sum", "interactive")] < 30
            assert found[("maildrop_messages", "bulk", "deferred")] == 1
            assert found[("maildrop_relay_up", host)] == 1
            assert found[("maildrop_moving",)] == 1
            assert found[("maildrop_daemons",)] == 1
            assert found[("maildrop_wal_bytes",)] > 0
            assert found[("process_resident_memory_bytes",)] > 0


def test_a_relay_at_fault_and_a_held_lane_are_seen(site, watched, unused_port):
    site.configure(SMTP_PORT=unused_port)
    with site.queue.write() as tx:
        hold_lane(tx, Lane.BULK)
    site.send()
    with site.daemon():
        wait_until(lambda: site.pauses, what="the fault")
        wait_until(watched.is_there, what="the metrics")
        host = f"127.0.0.1:{unused_port}"
        found = watched.samples
        assert found[("maildrop_relay_up", host)] == 0
        since = found[("maildrop_relay_fault_since_timestamp_seconds", host)]
        assert since == pytest.approx(site.pauses[0].since)
        assert found[("maildrop_lane_held", "bulk")] == 1
        assert found[("maildrop_lane_held", "normal")] == 0
        assert found[("maildrop_oldest_due_seconds",)] > 0
        assert found[("maildrop_moving",)] == 0
        # The daemon does all it can: nothing that a restart would heal.
        status, health = watched.health
        assert status == 200
        assert (health["working"], health["moving"]) == (True, False)
        assert health["reason"] == "relay"
        assert "connect" in health["fault"]


def test_the_fault_of_a_relay_that_was_given_up_is_not_seen(site, watched):
    """Else an alert would go on for as long as it is remembered."""
    with site.queue.write() as tx:
        pause(tx, RelayPause("old-relay:25", "refused", time.time(), time.time(), 1))
    with Catcher() as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon():
            wait_until(watched.is_there, what="the metrics")
            found = watched.samples
    assert found[("maildrop_relay_up", f"127.0.0.1:{relay.port}")] == 1
    assert not [each for each in found if "old-relay:25" in each]


def test_a_daemon_whose_heartbeat_is_gone_is_not_healthy(site, watched):
    with site.daemon():
        wait_until(watched.is_there, what="the address")
        status, health = watched.health
        assert (status, health["working"]) == (200, True)
        with site.queue.write() as tx:
            tx.exec_driver_sql("UPDATE maildrop_daemon SET lease_until = 1")
            # Another one that works is no excuse.
            register(tx, daemon_seen(time.time(), host="far"))
        status, health = watched.health
        assert (status, health["working"]) == (503, False)


def test_without_the_extra_health_is_answered_and_metrics_say_what_to_install(
    site, watched
):
    site.program = WITHOUT_THE_EXTRA
    with site.daemon():
        wait_until(watched.is_there, what="the address")
        assert watched.health[0] == 200
        status, text = watched.get("/metrics")
        assert status == 501
        assert "collective.maildrophost[metrics]" in text
    (line,) = site.log_lines("MAILDROP_METRICS")
    assert "install collective.maildrophost[metrics]" in line


def test_a_port_that_is_taken_does_not_keep_mail_back(site, watched):
    with Scripted() as relay, socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", watched.port))
        taken.listen()
        site.configure(SMTP_PORT=relay.port)
        with site.daemon():
            (id,) = site.send()
            site.wait_for(id, State.SENT)
            wait_until(lambda: site.log_lines("MAILDROP_METRICS"), what="the line")
        (line,) = site.log_lines("MAILDROP_METRICS")
        assert re.search(r"[Aa]ddress already in use", line)
        assert "mail goes on" in line


def test_metrics_are_answered_after_a_reload(site, watched):
    with site.daemon() as daemon:
        wait_until(watched.is_there, what="the address")
        before = daemon.row
        daemon.signal(signal.SIGHUP)
        daemon.wait_for_reload(before)
        wait_until(watched.is_there, what="the address again")
        assert watched.health[0] == 200


def test_other_paths_say_what_there_is(site, watched):
    with site.daemon():
        wait_until(watched.is_there, what="the address")
        assert watched.get("/")[0] == 404
        assert "/metrics" in watched.get("/nothing")[1]
