"""systemd, as far as a daemon talks to it."""

from __future__ import annotations

import socket

from waiting import PATIENCE_SECONDS

WATCHDOG_SECONDS = 1.0
LONGER_THAN_ANY_PAUSE_SECONDS = 2 * WATCHDOG_SECONDS


class Manager:
    """systemd's end of the notifications."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address.replace("@", "\0", 1))

    def environ(self, watchdog: float = 0.0) -> dict[str, str]:
        watched = {"WATCHDOG_USEC": str(int(watchdog * 1e6))} if watchdog else {}
        return {"NOTIFY_SOCKET": self.address, **watched}

    def next(self, seconds: float = PATIENCE_SECONDS) -> dict[str, str]:
        """The next message; TimeoutError when none comes in time."""
        self._socket.settimeout(seconds)
        text = self._socket.recv(4096).decode()
        return dict(line.split("=", 1) for line in text.splitlines())

    def is_silent(self) -> bool:
        """Whether nothing comes for longer than a watched daemon may be silent."""
        try:
            self.next(LONGER_THAN_ANY_PAUSE_SECONDS)
        except TimeoutError:
            return True
        return False

    def close(self) -> None:
        self._socket.close()
