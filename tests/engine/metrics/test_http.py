"""One question, one answer; a strange or slow client gets or keeps nothing else."""

from __future__ import annotations

import asyncio
import contextlib
from http import HTTPStatus

import pytest
from waiting import PATIENCE_SECONDS, all_others_wait

from collective.maildrophost.engine.metrics import http as module
from collective.maildrophost.engine.metrics.http import Answer, Page, listening, plain

QUESTION = b"GET / HTTP/1.1\r\n\r\n"
WORDS = "some words of a mail"


async def echo(path: str) -> Page:
    return plain(HTTPStatus.OK, f"you asked for {path}")


async def ask(port: int, request: bytes, end: bool = False) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    if end:
        writer.write_eof()
    answer = await asyncio.wait_for(reader.read(), PATIENCE_SECONDS)
    writer.close()
    return answer


async def ask_or_be_sent_away(port: int, request: bytes, **options: bool) -> bytes:
    with contextlib.suppress(ConnectionError):
        return await ask(port, request, **options)
    return b""


def asked(request: bytes, answer: Answer = echo, **options) -> bytes:
    async def converse() -> bytes:
        async with listening("127.0.0.1", 0, answer) as server:
            return await ask(server.sockets[0].getsockname()[1], request, **options)

    return asyncio.run(converse())


def test_a_page_is_given_with_its_length():
    answer = asked(b"GET /health?x=1 HTTP/1.1\r\nHost: x\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Content-Length: %d" % len(body) in head
    assert body == b"you asked for /health\n"


def test_head_gives_no_body():
    answer = asked(b"HEAD / HTTP/1.0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        (b"POST / HTTP/1.1", b"405"),
        (b"GET /", b"400"),
        (b"GET / SMTP", b"400"),
        (b"\x16\x03\x01\x02", b"400"),
        (b"GET /" + b"x" * 20_000 + b" HTTP/1.1", b"431"),
    ],
)
def test_a_malformed_request_gets_an_error(request_line, status):
    assert asked(request_line + b"\r\n\r\n").split(b" ")[1] == status


async def broken(path: str) -> Page:
    raise RuntimeError(WORDS)


def test_an_unexpected_error_is_told_in_the_daemons_log_without_its_words(caplog):
    answer = asked(QUESTION, broken)
    assert answer.startswith(b"HTTP/1.1 500 ")
    [record] = caplog.records
    assert record.name == "maildrop.metrics"
    assert record.getMessage() == "no answer: unexpected RuntimeError"
    assert "in broken" in caplog.text
    assert WORDS.encode() not in answer + caplog.text.encode()


def test_a_client_that_goes_away_is_no_trouble(caplog):
    assert asked(b"GET / HT", end=True) == b""
    assert caplog.records == []


def test_a_slow_client_is_sent_away_while_others_are_answered(monkeypatch, caplog):
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.3)

    async def converse() -> tuple[bytes, bytes]:
        async with listening("127.0.0.1", 0, echo) as server:
            port = server.sockets[0].getsockname()[1]
            slow = asyncio.create_task(ask(port, b"GET / HT"))
            # On a busy machine nobody is quick each time.
            while not (quick := await ask_or_be_sent_away(port, QUESTION)):
                pass
            return await slow, quick

    slow, quick = asyncio.run(asyncio.wait_for(converse(), PATIENCE_SECONDS))
    assert slow == b""
    assert quick.startswith(b"HTTP/1.1 200")
    assert caplog.records == []


def test_too_many_at_once_are_sent_away(monkeypatch):
    monkeypatch.setattr(module, "MOST_AT_ONCE", 1)

    async def converse() -> bytes:
        async with listening("127.0.0.1", 0, echo) as server:
            port = server.sockets[0].getsockname()[1]
            first = await asyncio.open_connection("127.0.0.1", port)
            await all_others_wait()
            try:
                return await ask_or_be_sent_away(port, QUESTION)
            finally:
                first[1].close()

    assert asyncio.run(converse()) == b""


async def much(path: str) -> Page:
    """More than the buffers on the way hold."""
    return Page(HTTPStatus.OK, module.TEXT, b"x" * 10_000_000)


@pytest.mark.parametrize("says", [b"", b"GET /large HTTP/1.1\r\n\r\n"])
def test_the_end_waits_for_no_client_that_says_or_reads_nothing(monkeypatch, says):
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 60 * PATIENCE_SECONDS)

    async def end_beside_a_client() -> None:
        async with listening("127.0.0.1", 0, much) as server:
            port = server.sockets[0].getsockname()[1]
            _, client = await asyncio.open_connection("127.0.0.1", port, limit=1)
            client.write(says)
            await all_others_wait()
        client.close()

    asyncio.run(asyncio.wait_for(end_beside_a_client(), PATIENCE_SECONDS))


def test_a_client_that_does_not_read_its_answer_is_cut_off(monkeypatch):
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.3)

    async def read_late() -> bytes:
        async with listening("127.0.0.1", 0, much) as server:
            port = server.sockets[0].getsockname()[1]
            reader, client = await asyncio.open_connection("127.0.0.1", port, limit=1)
            client.write(b"GET / HTTP/1.1\r\n\r\n")
            await asyncio.sleep(1)
            try:
                return await asyncio.wait_for(reader.read(), PATIENCE_SECONDS)
            except ConnectionError:
                return b""
            finally:
                client.close()

    assert len(asyncio.run(read_late())) < 10_000_000


@pytest.mark.parametrize("before", [QUESTION, b"GET / HT"])
def test_a_client_that_has_gone_makes_room_for_the_next(monkeypatch, before):
    """Otherwise whoever watches the daemon would hear one day that it is dead."""
    monkeypatch.setattr(module, "MOST_AT_ONCE", 1)

    async def converse() -> bytes:
        async with listening("127.0.0.1", 0, echo) as server:
            port = server.sockets[0].getsockname()[1]
            await ask_or_be_sent_away(port, before, end=True)
            # The client before may still be on its way out.
            while not (answer := await ask_or_be_sent_away(port, QUESTION, end=True)):
                await asyncio.sleep(0.01)
            return answer

    answer = asyncio.run(asyncio.wait_for(converse(), PATIENCE_SECONDS))
    assert answer.startswith(b"HTTP/1.1 200")
