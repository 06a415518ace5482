"""A TCP proxy in front of a server's socket, whose wire a test can cut."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from pathlib import Path

from servers.listener import Listener

PORTION_OCTETS = 65536


class Proxy(Listener):
    """``with Proxy(server.socket) as proxy:`` listens on ``127.0.0.1:proxy.port``.

    While the wire is cut nothing passes and nothing is closed, as when a cable is
    pulled; `drop` ends every connection, as a restarted firewall does. A wire that is
    `slow` takes so many seconds for each 64 kB; a `narrow` one holds no more than that,
    so that the rest stays with the sender. With `lose_commit(words)` the server gets
    the next COMMIT of a connection on which these words were said, and nobody gets its
    answer; `lost` is set when that has happened. `met` counts all connections, those to
    a cut wire as well.
    """

    def __init__(self, target: Path) -> None:
        self._target = str(target)
        self._passing = threading.Event()
        self._passing.set()
        self._sockets: list[socket.socket] = []
        self._words = b""
        self.slow = 0.0
        self.met = 0
        self.lost = threading.Event()

    def lose_commit(self, words: bytes) -> None:
        self._words = words

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self._passing.set()
        self.drop()

    def narrow(self) -> None:
        """For every connection from now on."""
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, PORTION_OCTETS)

    def cut(self) -> None:
        self._passing.clear()

    def mend(self) -> None:
        self._passing.set()

    def drop(self) -> None:
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def meet(self, client: socket.socket) -> None:
        self.met += 1
        self._sockets.append(client)
        threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        self._passing.wait()
        server = socket.socket(socket.AF_UNIX)
        self._sockets.append(server)
        try:
            server.connect(self._target)
        except OSError:
            client.close()
            return
        for source, sink in ((client, server), (server, client)):
            arguments = (source, sink)
            threading.Thread(target=self._pump, args=arguments, daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        said = False
        with suppress(OSError):
            while octets := source.recv(PORTION_OCTETS):
                time.sleep(self.slow * len(octets) / PORTION_OCTETS)
                self._passing.wait()
                words = self._words
                said = said or bool(words and words in octets)
                if said and words and b"COMMIT" in octets:
                    self._words = b""
                    # In this order, so that nobody can read an answer.
                    source.shutdown(socket.SHUT_RDWR)
                    sink.sendall(octets)
                    sink.shutdown(socket.SHUT_WR)
                    # The server ends the connection when it has committed.
                    while sink.recv(65536):
                        pass
                    self.lost.set()
                    return
                sink.sendall(octets)
        for each in (source, sink):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
