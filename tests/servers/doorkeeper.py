"""What stands where a PostgreSQL server is looked for, and lets nobody in."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress

_TLS = b"S"
_PASSWORD = b"R\0\0\0\x08\0\0\0\x03"
"""AuthenticationCleartextPassword (PostgreSQL, Message Formats)."""


class Doorkeeper:
    """``with Doorkeeper(asks_for_a_password) as door:`` at ``127.0.0.1:door.port``."""

    def __init__(self, meets: Callable[[socket.socket], None]) -> None:
        self._meets = meets

    def __enter__(self) -> Doorkeeper:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                with client, suppress(OSError):
                    client.recv(1024)
                    self._meets(client)


def asks_for_a_password(client: socket.socket) -> None:
    client.sendall(_PASSWORD)
    client.recv(1024)


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
