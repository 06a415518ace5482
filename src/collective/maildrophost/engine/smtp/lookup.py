"""The addresses of a host, by the system's resolver."""

# Rules of this file:
# - Not by loop.getaddrinfo, which uses the event loop's threads: name servers that do
#   not answer would occupy all of them, and so stop the intake as well.
# - One look-up of a host at a time: whoever asks meanwhile waits for the same one, and
#   meets the same fault. So dead name servers cost one thread for each host.

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeAlias

from ..system.blocking import begin

Addresses: TypeAlias = list[tuple[Any, ...]]
"""As socket.getaddrinfo gives them, without a port."""

_under_way: dict[str, Future[Addresses]] = {}


def look_up(host: str) -> asyncio.Future[Addresses]:
    """The addresses; socket.gaierror, or ValueError for an impossible name."""
    answer = _under_way.get(host)
    if answer is None or answer.done():
        asking = partial(socket.getaddrinfo, host, None, type=socket.SOCK_STREAM)
        answer = _under_way[host] = begin(asking, "lookup")
    return asyncio.wrap_future(answer)
