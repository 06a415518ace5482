"""Tells systemd how the daemon does (sd_notify(3)), if it has asked for that."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Mapping

SEND_SECONDS = 1.0
"""systemd takes every datagram at once, unless it is in trouble itself."""
UNWATCHED_SECONDS = 3600.0


class Systemd:
    """The service manager that has started this process."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._address = _address(environ.get("NOTIFY_SOCKET", ""))
        self._watchdog_seconds = _watchdog_seconds(environ)

    def ready(self, status: str) -> None:
        """The daemon works, for the first time or after a reload."""
        self._tell(f"READY=1\nSTATUS={status}")

    def refused(self, status: str) -> None:
        """The daemon goes on with the configuration that it has; `status` says why."""
        self._tell(f"STATUS={' '.join(status.split())}")

    def reloading(self) -> None:
        """The daemon goes on with another configuration soon."""
        # systemd 253 and later compare it with the time of their signal.
        microseconds = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._tell(f"RELOADING=1\nMONOTONIC_USEC={microseconds}")

    def stopping(self) -> None:
        """The daemon was told to stop: only mails in flight go on."""
        self._tell("STOPPING=1")

    async def watch(self) -> None:
        """Tell that the event loop turns, until cancelled.

        If it is not told for WatchdogSec, systemd kills the process and starts another.
        A queue that hangs must not have that effect: the verdicts that wait to be
        written would be lost. So this asks nothing of the queue.
        """
        while True:
            if self._watchdog_seconds:
                self._tell("WATCHDOG=1")
            await asyncio.sleep(self._watchdog_seconds / 2 or UNWATCHED_SECONDS)

    def _tell(self, text: str) -> None:
        if not self._address:
            return
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel,
        ):
            channel.settimeout(SEND_SECONDS)
            channel.sendto(text.encode(errors="backslashreplace"), self._address)


def _address(text: str) -> str:
    if text.startswith("@"):  # Linux's abstract namespace
        return f"\0{text[1:]}"
    return text if text.startswith("/") else ""


def _watchdog_seconds(environ: Mapping[str, str]) -> float:
    """How long systemd waits for a sign of life; 0 when it does not.

    WATCHDOG_PID says whose: a process that the watched one has started inherits the
    variables.
    """
    try:
        microseconds = int(environ["WATCHDOG_USEC"])
        watched = int(environ.get("WATCHDOG_PID", os.getpid()))
    except (KeyError, ValueError):
        return 0.0
    return microseconds / 1e6 if watched == os.getpid() else 0.0
