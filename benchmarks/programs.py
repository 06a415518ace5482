"""How the benchmarks run programs: apart from the terminal, no longer than needed."""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from .failure import BenchmarkFailed

STOP_SECONDS = 10.0
_NEVER_GIVEN = 20_000, 32_768
"""Ports below net.ipv4.ip_local_port_range, as Linux has it by default."""


def installed(name: str) -> str | None:
    """The program's path; Debian keeps Postfix out of the path of users."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")


@contextmanager
def running(
    command: Sequence[str], environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A program in a session of its own, which Ctrl-C reaches only through us.

    What is still running at the end is killed.
    """
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(STOP_SECONDS)


def run(command: Sequence[str]) -> str:
    """The output of a program that ends by itself; BenchmarkFailed when it fails."""
    ended = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        check=False,
    )
    if ended.returncode != 0:
        raise BenchmarkFailed(f"{' '.join(command)}: {ended.stdout.strip()}")
    return ended.stdout


def free_port() -> int:
    """A port of 127.0.0.1 that nobody uses now.

    One of those that the system never hands out by itself, since it is only bound later
    by the program that is started with it.
    """
    while True:
        port = random.randrange(*_NEVER_GIVEN)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
