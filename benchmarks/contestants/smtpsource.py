"""smtp-source, Postfix's load generator: the limit, since it has no queue at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..letters import LETTER_BYTES
from .contestant import Job


@dataclass(frozen=True)
class SmtpSource:
    """Several connections from one process, the same message again and again."""

    name: str
    program: str
    connections: int
    keep: bool
    """Whether a connection is kept for the next message."""

    @contextmanager
    def job(self, folder: Path, port: int, count: int) -> Iterator[Job]:
        yield Job(
            command=(
                self.program,
                *(["-d"] if self.keep else []),
                *("-s", str(self.connections), "-m", str(count)),
                *("-l", str(LETTER_BYTES), f"127.0.0.1:{port}"),
            ),
            left=lambda: 0,
        )
