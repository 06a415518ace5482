"""The servers that everybody delivers to, each a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from .failure import BenchmarkFailed
from .programs import free_port, installed, running
from .server import COUNTERS

START_SECONDS = 10.0


class Sink(Protocol):
    """A server on loopback that is waiting for mail."""

    port: int

    def received(self) -> int:
        """The bytes that have come so far."""

    def messages(self) -> int | None:
        """The messages that have come so far, None where nobody counts them."""


class SmtpSink:
    """Postfix's smtp-sink.

    Its own counter would cost it a tenth of its speed, so we look at what the kernel
    says it has read.
    """

    def __init__(self, port: int, pid: int) -> None:
        self.port = port
        self._io = Path(f"/proc/{pid}/io")

    def received(self) -> int:
        first_line = self._io.read_text(encoding="ascii").split("\n", 1)[0]
        return int(first_line.removeprefix("rchar:"))

    def messages(self) -> None:
        return None


class OwnSink:
    """The server of server.py."""

    def __init__(self, port: int, counters: Path) -> None:
        self.port = port
        self._counters = counters

    def received(self) -> int:
        return self._read()[0]

    def messages(self) -> int:
        return self._read()[1]

    def _read(self) -> tuple[int, int]:
        received, messages = COUNTERS.unpack(self._counters.read_bytes())
        return received, messages


@contextmanager
def smtp_sink(program: str) -> Iterator[SmtpSink]:
    """smtp-sink, which takes more in a second than anybody sends."""
    port = free_port()
    # It refuses to run as root.
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    with running([program, *user, f"127.0.0.1:{port}", "1000"]) as process:
        _wait_for(port, process)
        yield SmtpSink(port, process.pid)


@contextmanager
def own_sink(folder: Path, late: float = 0.0) -> Iterator[OwnSink]:
    """Our own server, which answers `late` seconds after it was asked."""
    port = free_port()
    counters = folder / f"received-{port}"
    command = [sys.executable, str(Path(__file__).with_name("server.py"))]
    with running([*command, str(port), str(late), str(counters)]) as process:
        _wait_for(port, process)
        yield OwnSink(port, counters)


def fastest_sink(folder: Path) -> AbstractContextManager[Sink]:
    """smtp-sink, or where it is not installed our own server."""
    program = installed("smtp-sink")
    return smtp_sink(program) if program else own_sink(folder)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise BenchmarkFailed(f"no server on port {port}") from None
            time.sleep(0.01)
