"""Our daemon, as `maildropctl run --once` runs it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from collective.maildrophost.engine.config import OPTIONS, load
from collective.maildrophost.engine.message import compose
from collective.maildrophost.engine.queue import State, enqueue, open_queue, stats

from ..letters import LETTER_BYTES, RECIPIENT, SENDER, letter
from .contestant import Job

TRANSACTION = 5000
"""Messages that are queued in one transaction."""
PROGRAM = (sys.executable, "-m", "collective.maildrophost.engine.cli")


def environment() -> dict[str, str]:
    """The environment of this process, without what would change a configuration."""
    unwanted = {option.name for option in OPTIONS} | {"MAILDROP_CONFIG"}
    return {name: text for name, text in os.environ.items() if name not in unwanted}


def without_uvloop(environ: Mapping[str, str]) -> dict[str, str]:
    """An environment whose Python does not find the egg of uvloop."""
    path = environ.get("PYTHONPATH", "").split(os.pathsep)
    kept = [each for each in path if not Path(each).name.startswith("uvloop-")]
    return {**environ, "PYTHONPATH": os.pathsep.join(kept)}


def configure(folder: Path, port: int, connections: int) -> Path:
    """Write a configuration that sets nothing but these; its path."""
    path = folder / "maildrop.conf"
    path.write_text(
        f'MAILDROP_HOME="{folder}/home"\n'
        f'SMTP_HOST="127.0.0.1:{port}"\n'
        f"MAILDROP_CONCURRENCY={connections}\n"
    )
    path.chmod(0o600)
    return path


def fill(path: Path, count: int, size: int = LETTER_BYTES) -> None:
    """Queue `count` messages of `size` characters."""
    queue = open_queue(load(path, {}).queue)
    try:
        for start in range(0, count, TRANSACTION):
            now = time.time()
            messages = [
                compose(letter(number, size), SENDER, [RECIPIENT], now=now)
                for number in range(start, min(start + TRANSACTION, count))
            ]
            with queue.write() as tx:
                enqueue(tx, messages, now)
    finally:
        queue.close()


def unsent(path: Path) -> int:
    """How many messages the queue holds that are not sent."""
    queue = open_queue(load(path, {}).queue)
    try:
        with queue.read() as tx:
            states = stats(tx, time.time()).states
    finally:
        queue.close()
    return sum(number for state, number in states.items() if state is not State.SENT)


@dataclass(frozen=True)
class Maildrophost:
    """With several connections; every verdict is on disk before the next message."""

    name: str
    connections: int
    environment: Mapping[str, str] = field(default_factory=environment)

    @contextmanager
    def job(self, folder: Path, port: int, count: int) -> Iterator[Job]:
        path = configure(folder, port, self.connections)
        fill(path, count)
        yield Job(
            command=(*PROGRAM, "--config", str(path), "run", "--once"),
            left=lambda: unsent(path),
            environment=self.environment,
        )
