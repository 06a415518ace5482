"""An SMTP server (aiosmtpd) on loopback that keeps what it is sent."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from dataclasses import dataclass
from typing import Any

from aiosmtpd.smtp import SMTP

PATIENCE_SECONDS = 10.0


@dataclass(frozen=True)
class Mail:
    """One mail as it came over the wire."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    arrived: float
    """`time.monotonic()` when its last byte was there."""

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", errors="replace").replace("\r\n", "\n")


class Catcher:
    """``with Catcher() as catcher:`` listens on a free port, ``catcher.port``."""

    def __init__(self) -> None:
        self.port = 0
        self._mails: queue.Queue[Mail] = queue.Queue()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Catcher:
        self._thread.start()
        self._server = self._run(
            self._loop.create_server(
                lambda: SMTP(self, loop=self._loop), "127.0.0.1", 0
            )
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_SECONDS)
        self._loop.close()

    def next(self, timeout: float) -> Mail | None:
        """The next mail, None when none arrives within `timeout` seconds."""
        try:
            return self._mails.get(timeout=timeout)
        except queue.Empty:
            return None

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Called by aiosmtpd with each mail, as a coroutine of its loop."""
        arrived = time.monotonic()
        recipients = tuple(envelope.rcpt_tos)
        self._mails.put(Mail(envelope.mail_from, recipients, envelope.content, arrived))
        return "250 2.0.0 Ok: caught"

    def _run(self, coroutine: Any) -> Any:
        running = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        return running.result(PATIENCE_SECONDS)

    async def _close(self) -> None:
        self._server.close()
        sessions = asyncio.all_tasks() - {asyncio.current_task()}
        for session in sessions:
            session.cancel()
        await asyncio.gather(*sessions, return_exceptions=True)
