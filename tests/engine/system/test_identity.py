"""What becomes of a process is told from its identity, or not at all."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import threading
from collections import deque
from itertools import combinations
from pathlib import Path

import pytest
from waiting import PATIENCE_SECONDS, wait_until

from collective.maildrophost.engine.cli import processes
from collective.maildrophost.engine.system import identity
from collective.maildrophost.engine.system.identity import (
    Fate,
    fate,
    is_gone,
    own_identity,
    process_identity,
)


@pytest.fixture
def child():
    """A process that runs until the test is over."""
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE
    ) as it:
        yield it
        it.kill()


def test_a_process_is_running_until_it_has_ended(child):
    known = process_identity(child.pid)
    assert fate(known) is Fate.RUNNING
    child.kill()
    child.wait()
    assert fate(known) is Fate.ENDED


def test_a_process_has_ended_though_its_parent_has_not_asked(child):
    known = process_identity(child.pid)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert (fate(known), processes.lives(child.pid)) == (Fate.ENDED, False)


LEAVES_A_THREAD = """\
import ctypes, threading
threading.Thread(target=input).start()
ctypes.CDLL(None).pthread_exit(None)
"""


def test_a_process_runs_as_long_as_one_of_its_threads():
    with subprocess.Popen(
        [sys.executable, "-c", LEAVES_A_THREAD], stdin=subprocess.PIPE
    ) as process:
        known = process_identity(process.pid)
        status = Path(f"/proc/{process.pid}/status")
        wait_until(lambda: "State:\tZ" in status.read_text())
        assert (fate(known), processes.lives(process.pid)) == (Fate.RUNNING, True)
        process.kill()


TAKES_A_NAME = """\
import os, sys
with open("/proc/self/comm", "wb") as comm:
    comm.write(os.fsencode(sys.argv[1]))
print(flush=True)
input()
"""


@pytest.mark.parametrize("name", ["nachrichtendö".encode()[:-1], b"a) Z 1 (b", b"\xff"])
def test_the_name_of_a_process_may_be_any_octets(name):
    """The kernel keeps 15 of them, whatever letter that cuts in two."""
    command = [sys.executable, "-c", TAKES_A_NAME, os.fsdecode(name)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as process:
        process.stdout.readline()
        known = process_identity(process.pid)
        running = fate(known)
        process.kill()
    assert (len(known.split()), running) == (4, Fate.RUNNING)


def test_another_process_with_the_same_pid_is_another_one(child):
    *machine, pid, ticks = process_identity(child.pid).split()
    earlier = " ".join([*machine, pid, str(int(ticks) - 1)])
    assert fate(earlier) is Fate.ENDED


def test_a_fork_has_an_identity_of_its_own():
    before = own_identity()
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        os.write(writing, own_identity().encode())
        os._exit(0)
    os.waitpid(pid, 0)
    assert os.read(reading, 1000).decode() not in ("", before)
    assert own_identity() == before == process_identity()


def test_threads_that_ask_at_the_same_time_are_told_the_same():
    """Whichever of two threads goes on at each of the lines."""
    steps = 6  # as many as `own_identity` has lines, at least
    for firsts in combinations(range(2 * steps), steps):
        turns = [int(turn in firsts) for turn in range(2 * steps)]
        assert in_turn(turns, fresh().own_identity) == [process_identity()] * 2, turns


def fresh():
    """The module as a process has it that has asked nothing yet."""
    spec = importlib.util.find_spec(identity.__name__)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def in_turn(turns, function):
    """What two threads are told that call it; each turn is a line of one of them."""
    left, answers = deque(turns), [None, None]
    changed = threading.Condition()

    def wait_for_turn(thread):
        with changed:
            its_turn = changed.wait_for(
                lambda: thread not in left or left[0] == thread, PATIENCE_SECONDS
            )
            assert its_turn
            if thread in left:
                left.popleft()
            changed.notify_all()

    def call(thread):
        def trace(frame, event, _):
            if frame.f_code is function.__code__ and event == "line":
                wait_for_turn(thread)
            return trace

        sys.settrace(trace)
        try:
            answers[thread] = function()
        finally:
            sys.settrace(None)
            with changed:
                while thread in left:
                    left.remove(thread)
                changed.notify_all()

    threads = [threading.Thread(target=call, args=(number,)) for number in (0, 1)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return answers


@pytest.mark.parametrize(
    ("here", "expected"), [(False, Fate.UNKNOWN), (True, Fate.ENDED)]
)
def test_another_boot_has_ended_only_what_can_have_run_nowhere_else(here, expected):
    _boot, *rest = own_identity().split()
    assert fate(" ".join(["another-boot", *rest]), here=here) is expected


def test_another_container_of_this_machine_is_not_known():
    boot, _namespace, *rest = own_identity().split()
    assert fate(" ".join([boot, "pid:[1]", *rest]), here=True) is Fate.UNKNOWN


def test_a_process_that_the_system_hides_is_not_taken_for_dead(child, monkeypatch):
    known = process_identity(child.pid)

    def hide(pid):
        raise FileNotFoundError

    monkeypatch.setattr(identity, "_start_ticks", hide)
    assert fate(known) is Fate.UNKNOWN
    child.kill()
    child.wait()
    assert fate(known) is Fate.ENDED


@pytest.mark.parametrize("text", ["", "no identity", "a b c d"])
def test_what_is_no_identity_tells_nothing(text):
    assert fate(text) is Fate.UNKNOWN


def test_a_process_is_gone_only_when_it_has_ended():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    known = process_identity(process.pid)
    assert not is_gone(known)
    process.communicate(b"\n")
    assert is_gone(known)


def test_another_process_with_the_same_pid_is_not_the_same_process():
    *rest, ticks = process_identity().split()
    assert is_gone(" ".join([*rest, str(int(ticks) + 1)]))


@pytest.mark.parametrize("unknown", ["", "another-boot pid:[1] 1 1", "nonsense"])
def test_what_cannot_be_told_counts_as_alive(unknown):
    assert not is_gone(unknown)
    assert not is_gone(process_identity(os.getpid()))
