"""An endpoint whose tokens are numbers, and those who wait for one."""

from __future__ import annotations

import asyncio
import threading

from waiting import PATIENCE_SECONDS

from collective.maildrophost.engine.config import Secret
from collective.maildrophost.engine.tokens import TokenFault, TokenSource
from collective.maildrophost.engine.tokens.endpoint import Issued


class Endpoint:
    """Gives out "1", "2", ... for a minute each; a fault when it has one."""

    def __init__(self) -> None:
        self.now = 0.0
        self.lifetime = 60.0
        self.asked = 0
        self.fault: TokenFault | None = None
        self.gate = threading.Event()
        self.gate.set()

    def fetch(self) -> Issued:
        self.asked += 1
        self.gate.wait(2 * PATIENCE_SECONDS)
        if self.fault is not None:
            raise self.fault
        return Issued(Secret(str(self.asked)), self.lifetime, Secret(""))


async def text(source: TokenSource, *refused) -> str:
    return (await source.token(*refused)).secret.reveal()


async def settled(source: TokenSource) -> None:
    """Until the refresh in the background has ended."""
    await asyncio.wait([source._refreshing], timeout=PATIENCE_SECONDS)
    await asyncio.sleep(0)


def run(coroutine) -> None:
    asyncio.run(asyncio.wait_for(coroutine, PATIENCE_SECONDS))
