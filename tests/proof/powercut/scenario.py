"""The programs of one trace: a daemon that is killed once, and who writes meanwhile.

Arguments: changes (JSON), configuration, the queue's URL, drop directory, seconds, and
how to start the queue's server (JSON for Popen; null: it has none).
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from waiting import PATIENCE_SECONDS, wait_until

from collective.maildrophost.engine.queue import QueueError, open_queue

HERE = Path(__file__).parent
WRITERS = 2
START_SECONDS = 2 * PATIENCE_SECONDS
"""Each call of a program that starts is recorded, which slows it down."""
PAUSE = "0.03"


def program(name: str, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(HERE / f"{name}.py"), *arguments]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


@contextmanager
def served(server: dict[str, Any] | None, url: str) -> Iterator[None]:
    """The queue's server runs; in the end it crashes and starts once more.

    So a cut may also fall into what it does to recover.
    """
    if server is None:
        yield
        return
    first = start(server, url)
    try:
        yield
    finally:
        crash(first)
    crash(start(server, url))


def start(server: dict[str, Any], url: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(**server, stdin=subprocess.DEVNULL)
    wait_until(lambda: answers(url), START_SECONDS, "that the server answers")
    return process


def answers(url: str) -> bool:
    try:
        open_queue(url).close()
    except QueueError:
        return False
    return True


def crash(server: subprocess.Popen[bytes]) -> None:
    """Its processes end at once, but each after its call; a SIGKILL leaves doubt."""
    server.send_signal(signal.SIGQUIT)
    server.wait()


def write_and_deliver(
    changes: str, configuration: str, url: str, spool: Path, seconds: float
) -> None:
    daemon = ("changes", changes, "--config", configuration, "run")
    running = program(*daemon)
    deadline = time.monotonic() + START_SECONDS
    while not spool.is_dir() and time.monotonic() < deadline:
        time.sleep(0.02)
    writers = [
        program("writer", changes, url, str(spool), f"w{number}", str(seconds), PAUSE)
        for number in range(WRITERS)
    ]
    time.sleep(seconds / 2)
    running.kill()
    running.wait()
    running = program(*daemon)
    failed = [writer.wait() for writer in writers]
    ended = running.poll()
    running.kill()
    running.wait()
    assert not any(failed), failed
    assert ended is None, ended


if __name__ == "__main__":
    with served(json.loads(sys.argv[6]), sys.argv[3]):
        write_and_deliver(*sys.argv[1:4], Path(sys.argv[4]), float(sys.argv[5]))
