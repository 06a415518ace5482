"""The delivery benchmarks run, and do not count what was not delivered."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from engine.processes import children
from servers.scripted import Late, Scripted
from waiting import PATIENCE_SECONDS, wait_until

from benchmarks import delivery, growth, measuring
from benchmarks.contestants.contestant import Job
from benchmarks.contestants.maildrophost import Maildrophost
from benchmarks.contestants.zopesendmail import ZopeSendmail
from benchmarks.failure import BenchmarkFailed
from benchmarks.measuring import Disturbed, measure
from benchmarks.programs import free_port
from benchmarks.sink import own_sink

COUNT = 30
FEW, LATE_SECONDS = 10, 0.1
"""Each answer is so late that not all messages come between two looks."""
CONTESTANTS = [Maildrophost("ours", 3), ZopeSendmail("theirs")]


@dataclass
class CatchingSink:
    """A sink that keeps what comes, to look at it."""

    relay: Scripted
    seen: threading.Event

    @property
    def port(self) -> int:
        return self.relay.port

    def received(self) -> int:
        come = sum(len(received.content) for received in self.relay.received)
        if come:
            self.seen.set()
        return come

    def messages(self) -> int:
        return len(self.relay.received)


@contextmanager
def catching_sink(kind: type[CatchingSink] = CatchingSink) -> Iterator[CatchingSink]:
    """All but the first message are taken once somebody has seen that one."""
    seen, taken = threading.Event(), "250 2.0.0 Ok"
    with Scripted({"END": [taken, Late(seen, taken)]}) as relay:
        yield kind(relay, seen)


@pytest.mark.parametrize("contestant", CONTESTANTS, ids=lambda each: each.name)
def test_everybody_delivers_the_same_messages(contestant, tmp_path):
    with catching_sink() as sink:
        figures = measure(contestant, tmp_path, sink, COUNT)
        contents = {received.content for received in sink.relay.received}
    assert len(contents) == COUNT
    # A line end of a message has one byte more on the wire.
    sizes = {len(content) - content.count(b"\r\n") for content in contents}
    assert sizes == {4400}
    assert figures.messages == COUNT
    assert figures.rate > 0
    assert figures.memory_bytes > 1_000_000


@pytest.mark.parametrize("contestant", CONTESTANTS, ids=lambda each: each.name)
def test_our_own_server_counts_every_message(contestant, tmp_path):
    with own_sink(tmp_path, LATE_SECONDS) as sink:
        measure(contestant, tmp_path, sink, FEW)
        assert sink.messages() == FEW
        assert sink.received() > FEW * 4400


def test_a_late_server_costs_a_round_trip_each_answer(tmp_path):
    late, taken = 0.02, []
    with own_sink(tmp_path, late) as sink:
        asked = time.perf_counter()
        with socket.create_connection(("127.0.0.1", sink.port)) as client:
            for line in ("EHLO x", "MAIL FROM:<>", "DATA", "hi\r\n.", "QUIT", ""):
                assert client.recv(1000)
                taken.append(time.perf_counter() - asked)
                asked = time.perf_counter()
                client.sendall(f"{line}\r\n".encode())
    # Its loop counts whole milliseconds.
    assert min(taken) >= late - 0.001


@dataclass(frozen=True)
class Forgetful:
    """Delivers less than it was given."""

    able: Maildrophost
    name: str = "forgetful"

    @contextmanager
    def job(self, folder: Path, port: int, count: int) -> Iterator[Job]:
        with self.able.job(folder, port, count - 1) as job:
            yield job


@dataclass(frozen=True)
class Leaving(Forgetful):
    """Leaves something in its queue."""

    @contextmanager
    def job(self, folder: Path, port: int, count: int) -> Iterator[Job]:
        with self.able.job(folder, port, count) as job:
            yield replace(job, left=lambda: 2)


def test_a_message_that_did_not_come_is_a_failure(tmp_path):
    with (
        own_sink(tmp_path, LATE_SECONDS) as sink,
        pytest.raises(BenchmarkFailed, match="9 of 10 messages came"),
    ):
        measure(Forgetful(CONTESTANTS[0]), tmp_path, sink, FEW)


def test_a_message_left_in_the_queue_is_a_failure(tmp_path):
    with (
        own_sink(tmp_path, LATE_SECONDS) as sink,
        pytest.raises(BenchmarkFailed, match="2 messages were not delivered"),
    ):
        measure(Leaving(CONTESTANTS[0]), tmp_path, sink, FEW)


class Blinding(CatchingSink):
    """A machine that holds up whoever watches, once the mail comes."""

    slept = False

    def received(self) -> int:
        come = super().received()
        if come and not self.slept:
            self.slept = True
            time.sleep(0.6)
        return come


def test_a_run_that_nobody_could_watch_is_not_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(measuring, "BLIND_SECONDS", 0.5)
    with catching_sink(Blinding) as sink, pytest.raises(Disturbed, match="too busy"):
        measure(CONTESTANTS[0], tmp_path, sink, COUNT)


class AllAtOnce(CatchingSink):
    """A machine so busy that whoever watches gets no turn until all has come."""

    def received(self) -> int:
        come = super().received()
        return come if self.messages() == COUNT else 0


def test_a_run_that_nobody_saw_anything_of_is_not_counted(tmp_path):
    with catching_sink(AllAtOnce) as sink, pytest.raises(Disturbed, match="two looks"):
        measure(CONTESTANTS[0], tmp_path, sink, COUNT)


def test_a_disturbed_run_is_repeated_but_not_for_ever(monkeypatch):
    ran = []

    def one(*arguments: object) -> str:
        ran.append(arguments)
        if len(ran) < succeeds:
            raise Disturbed("too busy")
        return "figures"

    monkeypatch.setattr(delivery, "_one", one)
    succeeds = 3
    able = [CONTESTANTS[0]]
    assert delivery.compare("here", able, {"ours": 5}, 1) == {"ours": ["figures"]}
    assert ran == [("here", able[0], 5)] * 3
    ran.clear()
    succeeds = 4
    with pytest.raises(Disturbed):
        delivery.compare("here", able, {"ours": 5}, 1)


def test_nothing_is_measured_where_nothing_is_delivered(tmp_path):
    with own_sink(tmp_path) as sink:
        gone = sink.port
        sink.port = free_port()
        assert gone != sink.port
        with pytest.raises(BenchmarkFailed, match="delivers nothing"):
            measure(CONTESTANTS[0], tmp_path, sink, COUNT)


def test_all_that_can_run_here_runs_in_both_settings():
    able, absent = delivery.contestants()
    names = {each.name for each in able} | {each.name for each in absent}
    assert {"maildrophost", "zope.sendmail", "Postfix", "smtp-source"} <= names
    assert set(delivery.COUNTS) == {delivery.LOOPBACK, delivery.LATE}
    for setting, counts in delivery.COUNTS.items():
        few = {
            each.name: max(10, counts[each.name] // 10)
            for each in able
            if each.name in counts
        }
        runs = delivery.compare(setting, able, few, rounds=1)
        assert {name: each[0].messages for name, each in runs.items()} == few


def test_the_growth_is_measured():
    measured = growth.measure_growth(short=200, long=600, delivered=200, rounds=1)
    assert measured.short.seconds > 0
    assert measured.long.seconds > 0
    assert measured.fill_rate > 0
    assert measured.file_bytes > 600 * growth.SIZE / 2
    assert "1,000,000" in growth.report(measured)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_nothing_running(number, tmp_path):
    command = [sys.executable, "-m", "benchmarks", "growth"]
    root = Path(__file__).parents[2]
    path = os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])
    process = subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": path, "TMPDIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        started = wait_until(lambda: children(process.pid), what="the server's start")
        process.send_signal(number)
        assert process.wait(PATIENCE_SECONDS) != 0
    finally:
        process.kill()
        process.wait()
    for pid in started:
        wait_until(lambda pid=pid: not Path(f"/proc/{pid}").exists(), what="its end")
    assert list(tmp_path.iterdir()) == []
