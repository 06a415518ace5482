"""A daemon looks after mail of fast clocks, whatever the queue does meanwhile."""

from __future__ import annotations

import asyncio
import logging
import time

from collective.maildrophost.engine.daemon import fastclocks
from collective.maildrophost.engine.daemon.fastclocks import FastClocks
from collective.maildrophost.engine.queue import enqueue


def test_a_queue_that_cannot_be_read_at_first_ends_no_daemon(
    queue, make_mail, monkeypatch, caplog
):
    monkeypatch.setattr(fastclocks, "LOOK_SECONDS", 0.01)
    with queue.write() as tx:
        enqueue(tx, [make_mail()], time.time() + 3600)
    away = queue.path.with_suffix(".away")
    queue.path.rename(away)

    async def look_until_it_is_back() -> None:
        due = asyncio.Event()
        looking = asyncio.create_task(FastClocks(queue, 0.01, due.set).run())
        while not caplog.records:
            await asyncio.sleep(0.01)
        away.rename(queue.path)
        await due.wait()
        looking.cancel()

    with caplog.at_level(logging.ERROR, "maildrop.daemon"):
        asyncio.run(asyncio.wait_for(look_until_it_is_back(), 10))
    assert "mail may wait for its sender's clock" in caplog.text
