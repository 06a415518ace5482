"""A real connection, opened without login, and a mail for it."""

from __future__ import annotations

from collective.maildrophost.engine.config import RelayAddress
from collective.maildrophost.engine.smtp import Connection, Security, Timeouts

SENDER = "a@example.org"
MAIL = (SENDER, ["b@example.org", "c@example.org"])
LARGE = b"Subject: large\r\n\r\n" + b".all work and no play makes mail\r\n" * 120_000


async def connected(server, **timeouts):
    return await Connection.open(
        RelayAddress("127.0.0.1", server.port),
        Security(),
        timeouts=Timeouts(**{"quit": 0.5, **timeouts}),
    )
