"""zope.sendmail's queue processor, as its console script runs it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import transaction
from zope.sendmail.delivery import QueuedMailDelivery

from ..letters import RECIPIENT, SENDER, letter
from .contestant import Job


@dataclass(frozen=True)
class ZopeSendmail:
    """One thread, a connection for each message; nothing is synced to disk."""

    name: str

    @contextmanager
    def job(self, folder: Path, port: int, count: int) -> Iterator[Job]:
        maildir = folder / "maildir"
        delivery = QueuedMailDelivery(str(maildir))
        with transaction.manager:
            for number in range(count):
                # It sends line ends as they are.
                content = letter(number).replace("\n", "\r\n").encode()
                delivery.send(SENDER, [RECIPIENT], content)
        yield Job(
            command=(
                *(sys.executable, "-m", "zope.sendmail.queue"),
                *("--hostname", "127.0.0.1", "--port", str(port), str(maildir)),
            ),
            left=lambda: sum(1 for _ in (maildir / "new").iterdir()),
        )
