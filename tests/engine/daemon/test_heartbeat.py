"""A daemon that cannot keep its lease stops sending."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time

import pytest

from collective.maildrophost.engine.daemon import heartbeat as module
from collective.maildrophost.engine.daemon.heartbeat import Heartbeat, LeaseLost
from collective.maildrophost.engine.daemon.identity import is_gone, process_identity
from collective.maildrophost.engine.queue import all_daemons, open_queue, retire


@pytest.fixture
def queue(tmp_path):
    queue = open_queue(f"sqlite:///{tmp_path}/queue.db")
    yield queue
    queue.close()


@pytest.fixture
def heartbeat(queue, monkeypatch):
    monkeypatch.setattr(module, "RENEW_SECONDS", 0.01)
    heartbeat = Heartbeat(queue, "relay:25", "/nowhere")
    heartbeat.start()
    return heartbeat


def rows(queue):
    with queue.read() as tx:
        return all_daemons(tx)


def test_the_lease_is_renewed(queue, heartbeat):
    (first,) = rows(queue)

    async def until_seen() -> None:
        task = asyncio.create_task(heartbeat.run())
        while rows(queue)[0].lease_until == first.lease_until:
            await asyncio.sleep(0.01)
        task.cancel()

    asyncio.run(asyncio.wait_for(until_seen(), 10))
    assert rows(queue)[0].seen > first.seen


def test_a_daemon_whose_row_is_gone_ends(queue, heartbeat):
    with queue.write() as tx:
        retire(tx, heartbeat.owner)
    with pytest.raises(LeaseLost, match="taken this one for dead"):
        asyncio.run(asyncio.wait_for(heartbeat.run(), 10))


def test_a_heartbeat_that_cannot_be_written_ends_the_daemon_before_its_lease(
    queue, heartbeat, monkeypatch
):
    queue.path.rename(queue.path.with_suffix(".away"))
    monkeypatch.setattr(module, "LEASE_SECONDS", module.MARGIN_SECONDS + 0.1)
    started = time.monotonic()
    with pytest.raises(LeaseLost, match="could not be written"):
        asyncio.run(asyncio.wait_for(heartbeat.run(), 10))
    assert time.monotonic() - started >= 0.05


def test_the_row_goes_with_the_daemon(queue, heartbeat):
    heartbeat.stop()
    assert rows(queue) == []


def test_a_living_daemon_is_left_alone_by_the_next(queue, heartbeat):
    Heartbeat(queue, "relay:25", "/nowhere").start()
    assert len(rows(queue)) == 2


def test_a_process_is_gone_only_when_it_has_ended():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    identity = process_identity(process.pid)
    assert not is_gone(identity)
    process.communicate(b"\n")
    assert is_gone(identity)


def test_another_process_with_the_same_pid_is_not_the_same_process():
    *rest, ticks = process_identity().split()
    assert is_gone(" ".join([*rest, str(int(ticks) + 1)]))


@pytest.mark.parametrize("unknown", ["", "another-boot pid:[1] 1 1", "nonsense"])
def test_what_cannot_be_told_counts_as_alive(unknown):
    assert not is_gone(unknown)
    assert not is_gone(process_identity(os.getpid()))
