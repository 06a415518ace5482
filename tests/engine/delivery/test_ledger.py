"""The ledger hands due mail out, and hears of new mail at any moment."""

from __future__ import annotations

import asyncio
import threading

import pytest
from engine.delivery.writing import writes_to

from collective.maildrophost.engine.delivery import books as module
from collective.maildrophost.engine.delivery.ledger import Ledger
from collective.maildrophost.engine.delivery.pace import Pace
from collective.maildrophost.engine.delivery.permits import Permits
from collective.maildrophost.engine.queue import open_queue


@pytest.fixture
def queue(tmp_path):
    queue = open_queue(f"sqlite:///{tmp_path}/queue.db")
    yield queue
    queue.close()


def test_a_ring_while_the_queue_is_read_is_not_forgotten(queue, monkeypatch):
    ledger = Ledger(writes_to(queue), "me", 1, Permits(Pace.of(0.0, 0)), 3600.0, print)
    looks = []
    next_due = module.next_due

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        looked_again = asyncio.Event()

        def wake(done: threading.Event) -> None:
            ledger.wake()
            done.set()

        def look(tx):
            looks.append(tx)
            if len(looks) == 1:
                done = threading.Event()
                loop.call_soon_threadsafe(wake, done)
                assert done.wait(10)
            else:
                loop.call_soon_threadsafe(looked_again.set)
            return next_due(tx)

        monkeypatch.setattr(module, "next_due", look)
        running = asyncio.create_task(ledger.run())
        waiting = asyncio.create_task(ledger.turn(None))
        await asyncio.wait_for(looked_again.wait(), 10)
        ledger.stop()
        await running
        assert await waiting is None

    asyncio.run(serve())
