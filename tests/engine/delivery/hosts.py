"""Two hosts of a relay, with the pool of connections to them."""

from __future__ import annotations

import asyncio

from collective.maildrophost.engine.config import RelayAddress
from collective.maildrophost.engine.delivery.failover import Failover
from collective.maildrophost.engine.delivery.pool import Pool
from collective.maildrophost.engine.delivery.relayhealth import PausePolicy
from collective.maildrophost.engine.smtp import Phase, RelayFault

ONE, TWO = RelayAddress("one", 25), RelayAddress("two", 25)
PAUSE_SECONDS = 2.0


class Opened:
    """A connection that always works."""

    served = 0
    usable = True

    def __init__(self, relay):
        self.relay = relay
        self.closed = 0

    async def quit(self):
        self.closed += 1


def nobody():
    """No connection is in use."""
    return False


class Hosts:
    """Two hosts, of which those in `down` refuse; `now` is the time.

    Those in `full` greet nobody who comes now, or `for_good` ever; those in `silent`
    answer as soon as `answer` is set. A try takes `seconds`.
    """

    def __init__(self, *hosts):
        self.hosts = hosts or (ONE, TWO)
        self.now = 1_800_000_000.0
        self.down = set()
        self.silent, self.full = set(), set()
        self.answer = asyncio.Event()
        self.tried = []
        self.seconds = 0.0
        self.mute = self.for_good = False
        self.failover = Failover(self, PausePolicy(PAUSE_SECONDS), lambda: self.now)
        self.pool = Pool(self.failover, batch=0, clock=lambda: self.now)

    async def open(self, host):
        self.tried.append(host)
        self.now += self.seconds
        if host in self.silent:
            await self.answer.wait()
        if host in self.down:
            raise RelayFault(host, Phase.CONNECT, "refused")
        if host in self.full:
            words = "421 too many connections"
            raise RelayFault(host, Phase.GREETING, words, self.for_good, self.mute)
        return Opened(host)

    async def stand_in(self, connections=1):
        """Connections to the second host, given back after the first has failed."""
        self.down = {ONE}
        opened = [await self.pool.take() for _ in range(connections)]
        assert {each.relay for each in opened} == {TWO}
        for each in opened:
            self.pool.give(each)
        self.tried.clear()
        return opened
