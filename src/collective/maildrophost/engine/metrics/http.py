"""Just enough HTTP to answer one request on each connection."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus

from ..system.patience import within
from ..unquoted import unquoted

log = logging.getLogger("maildrop.metrics")

LONGEST_HEAD_BYTES = 16_384
PATIENCE_SECONDS = 10.0
"""For a whole request and its answer; a slow client keeps nobody else waiting."""
MOST_AT_ONCE = 50

TEXT = "text/plain; charset=utf-8"
METHODS = ("GET", "HEAD")


@dataclass(frozen=True)
class Page:
    """What is answered."""

    status: HTTPStatus
    content_type: str
    body: bytes


Answer = Callable[[str], Awaitable[Page]]
"""Takes the path that was asked for."""


def plain(status: HTTPStatus, text: str) -> Page:
    """A page of one line."""
    return Page(status, TEXT, f"{text}\n".encode())


@contextlib.asynccontextmanager
async def listening(
    host: str, port: int, answer: Answer
) -> AsyncIterator[asyncio.Server]:
    """Answer at an address within the block; OSError when it cannot be bound.

    Clients that are still connected at its end are cut off, so that none delays a stop.
    """
    connected: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if len(connected) < MOST_AT_ONCE:
                await talk(reader, writer)
        finally:
            writer.transport.abort()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversing = within(_converse(reader, writer, answer), PATIENCE_SECONDS)
        talking = asyncio.create_task(conversing)
        connected.add(talking)
        talking.add_done_callback(connected.discard)
        # A cancellation must not reach the server's own task, which would log it.
        with contextlib.suppress(OSError, EOFError, asyncio.CancelledError):
            await talking

    server = await asyncio.start_server(serve, host, port, limit=LONGEST_HEAD_BYTES)
    try:
        yield server
    finally:
        server.close()
        cut_off = list(connected)
        for talking in cut_off:
            talking.cancel()
        await asyncio.gather(*cut_off, return_exceptions=True)


async def _converse(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: Answer
) -> None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        page, method = plain(status, "the request is too long"), "GET"
    else:
        method, page = await _answered(head, answer)
    writer.write(_written(page, with_body=method != "HEAD"))
    writer.close()
    await writer.wait_closed()  # a client that reads nothing is waited for here


async def _answered(head: bytes, answer: Answer) -> tuple[str, Page]:
    words = head.partition(b"\r\n")[0].decode("latin-1").split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        return "GET", plain(HTTPStatus.BAD_REQUEST, "that is no HTTP/1 request")
    method, target, _ = words
    if method not in METHODS:
        allowed = ", ".join(METHODS)
        return method, plain(HTTPStatus.METHOD_NOT_ALLOWED, f"only {allowed} here")
    try:
        return method, await answer(target.partition("?")[0])
    except Exception as error:
        name = type(error).__name__
        log.error("no answer: unexpected %s", name, exc_info=unquoted(error))
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        return method, plain(status, "unexpected error, see the daemon's log")


def _written(page: Page, with_body: bool) -> bytes:
    head = (
        f"HTTP/1.1 {page.status.value} {page.status.phrase}\r\n"
        f"Content-Type: {page.content_type}\r\n"
        f"Content-Length: {len(page.body)}\r\n"
        "Cache-Control: no-store\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode("ascii") + (page.body if with_body else b"")
