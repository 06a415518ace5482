"""A daemon that others take for dead sends no more, whatever it is at."""

from __future__ import annotations

import json
import signal
import sys
import threading

import pytest
from forking import IMPATIENT
from servers.scripted import Late, Scripted
from waiting import PATIENCE_SECONDS, wait_until

from collective.maildrophost.engine.queue import State, retire

QUICK = {"smtp": {}, "daemon.heartbeat.RENEW_SECONDS": 0.1}
BROKEN_OFF = "1 mails in flight are broken off"


@pytest.fixture
def quick(told):
    """A site whose daemon soon sees that its lease is gone."""
    told.program = (sys.executable, IMPATIENT, json.dumps(QUICK))
    told.configure(MAILDROP_STOP_TIMEOUT=60)
    return told


@pytest.mark.parametrize(
    ("asked", "word"), [(signal.SIGTERM, "STOPPING"), (signal.SIGHUP, "RELOADING")]
)
def test_a_daemon_without_a_lease_breaks_off_even_while_it_stops_or_reloads(
    quick, manager, asked, word
):
    never = threading.Event()
    with Scripted({"END": Late(never, "250 2.0.0 Ok")}) as relay:
        quick.configure(SMTP_PORT=relay.port)
        with quick.daemon() as daemon:
            owner = daemon.row.owner
            (id,) = quick.send()
            wait_until(lambda: relay.received, what="the content")
            daemon.signal(asked)
            wait_until(lambda: word in manager.next(), what="that it heeds that")
            with quick.queue.write() as tx:
                retire(tx, owner)
            assert daemon.process.wait(PATIENCE_SECONDS) == 1
    (line,) = quick.log_lines(BROKEN_OFF)
    assert "the lease is lost" in line
    assert quick.log_lines("the daemon ends: another daemon has taken this one")
    record = quick.message(id)
    assert (record.state, record.possible_duplicate) == (State.QUEUED, True)
