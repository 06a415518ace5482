"""Stands where a PostgreSQL server is expected, and lets nobody in."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from contextlib import suppress

from servers.listener import Listener

_TLS = b"S"
_PASSWORD = b"R\0\0\0\x08\0\0\0\x03"
"""AuthenticationCleartextPassword (PostgreSQL, Message Formats)."""


class Doorkeeper(Listener):
    """``with Doorkeeper(asks_for_a_password) as door:`` at ``127.0.0.1:door.port``."""

    def __init__(self, meets: Callable[[socket.socket], None]) -> None:
        self._meets = meets

    def meet(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            client.recv(1024)
            self._meets(client)


def asks_for_a_password(client: socket.socket) -> None:
    client.sendall(_PASSWORD)
    client.recv(1024)


def refuses(words: str, code: str) -> Callable[[socket.socket], None]:
    """Meets everybody with an ErrorResponse."""
    fields = f"SFATAL\0C{code}\0M{words}\0\0".encode()
    told = b"E" + (len(fields) + 4).to_bytes(4, "big") + fields
    return lambda client: client.sendall(told)


def shows(context: ssl.SSLContext) -> Callable[[socket.socket], None]:
    """Meets everybody with the certificate of `context`."""

    def meets(client: socket.socket) -> None:
        client.sendall(_TLS)
        with context.wrap_socket(client, server_side=True) as encrypted:
            encrypted.recv(1024)

    return meets


def hangs_up(client: socket.socket) -> None:
    """In the middle of what would become TLS."""
    client.sendall(_TLS)
