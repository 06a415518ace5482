"""Large messages: others go on meanwhile, and none is held twice."""

from __future__ import annotations

import asyncio
import time
import tracemalloc

from engine.smtp.connections import MAIL, connected
from servers.scripted import Scripted

from collective.maildrophost.engine.smtp import connection
from collective.maildrophost.engine.smtp.content import BLOCK_OCTETS, wire_blocks


def test_a_large_upload_does_not_stall_the_loop():
    content = b"x" * 76 + b"\n"
    content *= 25 * 1024 * 1024 // len(content)

    async def upload(server):
        connection = await connected(server)
        turns = 0
        uploading = True

        async def count_turns():
            nonlocal turns
            while uploading:
                await asyncio.sleep(0)
                turns += 1

        counting = asyncio.create_task(count_turns())
        result = await connection.deliver(*MAIL, content)
        uploading = False
        await counting
        await connection.quit()
        return result, turns

    with Scripted() as server:
        result, turns = asyncio.run(upload(server))
    assert [verdict.outcome for verdict in result.verdicts] == ["sent", "sent"]
    assert turns >= len(content) // BLOCK_OCTETS, "others wait for a block at most"


def test_a_large_conversion_does_not_stall_the_loop(monkeypatch):
    content = b"Subject: x\n\n" + b"x" * 5 * 1024 * 1024
    turns = []
    convert = connection.convert

    def counted(*arguments):
        before = turns[0]
        converted = convert(*arguments)
        turns.append(turns[0] - before)
        return converted

    async def upload(server):
        relay = await connected(server)
        turns.append(0)
        done = asyncio.Event()

        async def count_turns():
            while not done.is_set():
                await asyncio.sleep(0)
                turns[0] += 1

        counting = asyncio.create_task(count_turns())
        result = await relay.deliver(*MAIL, content)
        done.set()
        await counting
        await relay.quit()
        return result

    monkeypatch.setattr(connection, "convert", counted)
    with Scripted() as server:
        result = asyncio.run(upload(server))
        assert max(map(len, server.accepted[0].content.splitlines())) <= 76
    assert [verdict.outcome for verdict in result.verdicts] == ["sent", "sent"]
    assert turns[1] >= 10, "others work while a message is converted"


def test_large_messages_are_converted_one_at_a_time(monkeypatch):
    """Each takes five times its size in memory meanwhile."""
    content = b"Subject: x\n\n" + b"x" * 2 * 1024 * 1024
    convert, at_once, most = connection.convert, [], []

    def counted(*arguments):
        at_once.append(None)
        most.append(len(at_once))
        time.sleep(0.05)
        at_once.pop()
        return convert(*arguments)

    async def upload(server):
        relays = [await connected(server) for _ in range(3)]
        await asyncio.gather(*(relay.deliver(*MAIL, content) for relay in relays))
        await asyncio.gather(*(relay.quit() for relay in relays))

    monkeypatch.setattr(connection, "convert", counted)
    with Scripted() as server:
        asyncio.run(upload(server))
        assert len(server.accepted) == 3
    assert most == [1, 1, 1]


def test_a_large_message_is_not_copied():
    content = b"x\n" * (12 * 1024 * 1024)
    tracemalloc.start()
    try:
        for _ in wire_blocks(content):
            pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1024 * 1024
