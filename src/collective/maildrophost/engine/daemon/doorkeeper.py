"""Hears the doorbell, and hangs it again where somebody has taken it away."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from ..doorbell import Doorbell

LOOK_SECONDS = 1.0


class Doorkeeper:
    """`wake` is called whenever somebody has rung, or may have."""

    def __init__(self, bell: Doorbell, wake: Callable[[], None]) -> None:
        self._bell = bell
        self._wake = wake

    async def run(self) -> None:
        """Listen until cancelled."""
        self._listen()
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            # Its directory may have been emptied: all mail would wait for
            # MAILDROP_INTERVAL. In a thread, for a file system may hang.
            if not await asyncio.to_thread(self._bell.hangs):
                self._hang_again()

    def _hang_again(self) -> None:
        asyncio.get_running_loop().remove_reader(self._bell.fileno())
        with contextlib.suppress(OSError):
            self._bell.hang_again()
            self._wake()
        self._listen()

    def _listen(self) -> None:
        asyncio.get_running_loop().add_reader(self._bell.fileno(), self._rung)

    def _rung(self) -> None:
        self._bell.drain()
        self._wake()
