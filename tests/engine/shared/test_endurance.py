"""Daemons die, the database restarts, sites write on: what must arrive does.

`--endurance SECONDS` breaks things for as long as you have.
"""

from __future__ import annotations

import random
import re
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest
from servers.catcher import Catcher
from servers.postgresql import PostgreSQL
from waiting import wait_until

from collective.maildrophost.engine.queue import State, list_messages, stats

DAEMONS, WRITERS = 4, 8
WRITER = str(Path(__file__).with_name("writer.py"))
SETTLE_SECONDS = 120.0
NICE = ("nice", "-n", "10")
"""Other tests run at the same time and watch the clock."""
SUBJECT = re.compile(rb"^Subject: (\S+)\r?$", re.MULTILINE)


@pytest.fixture
def seconds(request):
    return request.config.getoption("--endurance")


class Supervisor:
    """Keeps a daemon running for each site, as zdaemon or systemd does."""

    def __init__(self, sites):
        self._sites = sites
        self._processes = {site: site.start() for site in sites}
        self.killed = 0

    def kill_one(self):
        process = random.choice(list(self._processes.values()))
        process.kill()
        self.killed += 1

    def look(self):
        for site, process in self._processes.items():
            if process.poll() is not None:
                process.communicate()
                self._processes[site] = site.start()

    def end(self):
        for process in self._processes.values():
            process.kill()
            process.communicate()


def break_things(server, daemons, seconds):
    """Now and then one daemon dies, more rarely the database stops or crashes."""
    ends = time.monotonic() + seconds
    strokes = Counter()
    while time.monotonic() < ends:
        time.sleep(random.uniform(1.0, 3.0))
        daemons.look()
        # A kill comes first in any case: a slow machine has time for few strokes.
        others = ["restart", "crash", "pause"] if daemons.killed else []
        stroke = random.choice(["kill"] * 4 + others)
        strokes[stroke] += 1
        if stroke == "kill":
            daemons.kill_one()
        elif stroke == "restart":
            server.restart()
        elif stroke == "crash":
            server.kill()
            server.start()
        else:
            with server.paused():
                time.sleep(random.uniform(0.1, 2.0))
    return strokes


def outcomes(writers):
    """The subjects by what became of their transaction."""
    found = {"committed": set(), "aborted": set(), "unknown": set()}
    for writer in writers:
        printed, errors = writer.communicate(timeout=SETTLE_SECONDS)
        assert writer.returncode == 0, errors
        for line in printed.splitlines():
            subject, end = line.split()
            found[end].add(subject)
    return found


def arrived(relay):
    subjects = [SUBJECT.search(each.content) for each in relay.messages]
    return Counter(found[1].decode() for found in subjects if found)


def all_over(site):
    with site.queue.read() as tx:
        states = stats(tx, time.time()).states
    return not any(states[state] for state in State if state is not State.SENT)


def test_every_committed_message_arrives_and_none_of_an_aborted_transaction(
    machines, seconds
):
    with ExitStack() as running:
        server = running.enter_context(PostgreSQL())
        relay = running.enter_context(Catcher())
        url = server.url(server.create())
        sites = machines(DAEMONS, url, daemon__heartbeat__RENEW_SECONDS=0.5)
        for site in sites:
            site.configure(SMTP_PORT=relay.port, MAILDROP_INTERVAL=2)
            site.program = (*NICE, *site.program)
        daemons = Supervisor(sites)
        running.callback(daemons.end)
        writers = [
            running.enter_context(
                subprocess.Popen(
                    [*NICE, sys.executable, WRITER, url, f"w{number}", str(seconds)],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
            for number in range(WRITERS)
        ]
        for writer in writers:
            running.callback(writer.kill)
        strokes = break_things(server, daemons, seconds)
        daemons.look()
        ends = outcomes(writers)

        def nothing_waits():
            daemons.look()
            return all_over(sites[0])

        wait_until(nothing_waits, SETTLE_SECONDS, "that all is sent")
        counts = arrived(relay)
        with sites[0].queue.read() as tx:
            records = list_messages(tx, State.SENT)
    marked = {each.subject for each in records if each.possible_duplicate}
    twice = {subject for subject, count in counts.items() if count > 1}
    told = f"{strokes}, {len(counts)} arrived, {len(marked)} marked, {len(twice)} twice"
    assert ends["committed"], told
    assert ends["committed"] <= set(counts), told
    assert not ends["aborted"] & set(counts), told
    assert twice <= marked, told
    assert set(counts) <= ends["committed"] | ends["unknown"], told
    assert daemons.killed, told
