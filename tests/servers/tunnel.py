"""An HTTP proxy that lets its clients through to one port, whatever they ask for."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

from servers.listener import Listener

PORTION_OCTETS = 65536


class Tunnel(Listener):
    """``with Tunnel(server_port) as tunnel:`` is asked with CONNECT at `tunnel.port`.

    `asked` has what it was asked for. With any `status` but 200 nobody gets through.
    """

    def __init__(self, target: int = 0, status: str = "200 OK") -> None:
        self.asked: list[str] = []
        self._target = target
        self._status = status

    def meet(self, client: socket.socket) -> None:
        threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(PORTION_OCTETS)
            self.asked.append(head.decode().splitlines()[0])
            client.sendall(f"HTTP/1.1 {self._status}\r\n\r\n".encode())
            if not self._status.startswith("200"):
                return
            with socket.create_connection(("127.0.0.1", self._target)) as server:
                back = threading.Thread(target=_pump, args=(server, client))
                back.start()
                _pump(client, server)
                back.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while octets := source.recv(PORTION_OCTETS):
            sink.sendall(octets)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
