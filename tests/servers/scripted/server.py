"""The server: its script, and the connections it takes."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from servers.certificates import Certificates
from waiting import PATIENCE_SECONDS, wait_until

from .answers import said
from .conversation import Talk
from .records import Conversation, Received

EXTENSIONS = ("PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE 50000000")
BUFFER_OCTETS = 65536


class Scripted:
    """``with Scripted({"RCPT:b@x.org": "550 5.1.1 no"}) as server:`` on `server.port`.

    `answers` maps GREETING, EHLO, HELO, STARTTLS, AUTH, MAIL, RCPT, DATA, END (after
    the last dot), RSET, NOOP, QUIT, or with an address behind a colon MAIL:a and
    RCPT:b, to an answer: the text of a reply ("\\n" between its lines), one of
    `answers`, or a list of these, one for each time, of which the last stays.
    `login` is the (user, password) to take; for XOAUTH2 a function of user and token.
    `during` is (octets, answer): the answer after so many octets of the content, of
    which no more are read before it. `delivery` is "whole", "coalesced" (one write for
    a pipelined group) or "bytewise". `round_trip` is how many seconds pass between a
    command, or a pipelined group, and its answer. `port` 0 is any free one.
    """

    def __init__(
        self,
        answers: dict[str, Any] | None = None,
        *,
        extensions: tuple[str, ...] = EXTENSIONS,
        during: tuple[int, Any] | None = None,
        delivery: str = "whole",
        round_trip: float = 0.0,
        certificates: Certificates | None = None,
        implicit_tls: bool = False,
        login: tuple[str, str] | Callable[[str, str], bool] | None = None,
        port: int = 0,
    ) -> None:
        self.follow(
            answers,
            extensions=extensions,
            during=during,
            delivery=delivery,
            round_trip=round_trip,
        )
        self.certificates = certificates
        self.implicit_tls = implicit_tls
        self.login = login
        self.conversations: list[Conversation] = []
        self.port = port
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []

    def follow(
        self,
        answers: dict[str, Any] | None = None,
        *,
        extensions: tuple[str, ...] = EXTENSIONS,
        during: tuple[int, Any] | None = None,
        delivery: str = "whole",
        round_trip: float = 0.0,
    ) -> None:
        """Follow this script from now on, from its beginning."""
        self.answers = answers or {}
        self.extensions = extensions
        self.during = during
        self.delivery = delivery
        self.round_trip = round_trip
        self._turns: dict[str, int] = {}

    def __enter__(self) -> Scripted:
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        # What waits here was not read: little, so that an upload stops where it should.
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_OCTETS)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stopping.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._sockets:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    @property
    def received(self) -> list[Received]:
        """All content of all connections that came to its last dot, oldest first."""
        found = [each for talk in self.conversations for each in talk.received]
        return sorted(found, key=lambda each: each.time)

    @property
    def accepted(self) -> list[Received]:
        """Those that the reply to the last dot accepted."""
        return [each for each in self.received if said(each.reply).startswith("2")]

    @property
    def commands(self) -> list[str]:
        """The commands of all connections, in the order of the connections."""
        return [each for talk in self.conversations for each in talk.commands]

    def wait_for(self, count: int, timeout: float = PATIENCE_SECONDS) -> list[Received]:
        """The accepted messages once there are `count`."""
        wait_until(lambda: len(self.accepted) >= count, timeout, f"{count} messages")
        return self.accepted

    def answer(self, name: str, address: str, default: Any) -> Any:
        """What the script says now to `name`."""
        key = f"{name}:{address}" if f"{name}:{address}" in self.answers else name
        answer = self.answers.get(key, default)
        if isinstance(answer, list):
            with self._lock:
                turn = self._turns.get(key, 0)
                self._turns[key] = turn + 1
            answer = answer[min(turn, len(answer) - 1)]
        return answer

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                # Else a reply in several writes waits for who delays to acknowledge.
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._sockets.append(connection)
                talk = Conversation(opened=time.time())
                self.conversations.append(talk)
                one = Talk(self, connection, talk)
                threading.Thread(target=one.run, daemon=True).start()
