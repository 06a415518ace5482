"""An SMTP server on loopback that does exactly what a test tells it."""

from __future__ import annotations

import base64
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from servers.certificates import Certificates
from waiting import wait_until

EXTENSIONS = ("PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE 50000000")


@dataclass(frozen=True)
class Raw:
    """Exactly these bytes instead of a reply; no TLS handshake follows them."""

    data: bytes


@dataclass(frozen=True)
class Drop:
    """These bytes, then the end of the connection."""

    data: bytes = b""


@dataclass(frozen=True)
class Hang:
    """No answer, as long as the connection lasts."""


@dataclass(frozen=True)
class Late:
    """The answer after `event` is set."""

    event: threading.Event
    answer: Any


@dataclass
class Received:
    """Content that came to its last dot: with the reply `reply`, as it was sent."""

    sender: str
    recipients: list[str]
    content: bytes
    reply: Any
    time: float


@dataclass
class Conversation:
    """What one connection brought; `commands` without what belongs to a login."""

    opened: float
    commands: list[str] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    unfinished: bytes = b""
    login: tuple[str, str] | None = None
    tls: bool = False
    closed: bool = False

    @property
    def verbs(self) -> list[str]:
        return [command.partition(" ")[0].upper() for command in self.commands]


class Scripted:
    """``with Scripted({"RCPT:b@x.org": "550 5.1.1 no"}) as server:`` on `server.port`.

    `answers` maps GREETING, EHLO, HELO, STARTTLS, AUTH, MAIL, RCPT, DATA, END (after
    the last dot), RSET, NOOP, QUIT, or with an address behind a colon MAIL:a and
    RCPT:b, to an answer: the text of a reply ("\\n" between its lines), `Raw`, `Drop`,
    `Hang`, `Late`, or a list of these, one for each time, of which the last stays.
    `during` is (octets, answer): the answer in the middle of the content. `delivery` is
    "whole", "coalesced" (one write for a pipelined group) or "bytewise".
    """

    def __init__(
        self,
        answers: dict[str, Any] | None = None,
        *,
        extensions: tuple[str, ...] = EXTENSIONS,
        during: tuple[int, Any] | None = None,
        delivery: str = "whole",
        certificates: Certificates | None = None,
        implicit_tls: bool = False,
        login: tuple[str, str] | None = None,
    ) -> None:
        self.answers = answers or {}
        self.extensions = extensions
        self.during = during
        self.delivery = delivery
        self.certificates = certificates
        self.implicit_tls = implicit_tls
        self.login = login
        self.conversations: list[Conversation] = []
        self.port = 0
        self.stopping = threading.Event()
        self._turns: dict[str, int] = {}
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> Scripted:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
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
        """Of these, what the reply to the last dot accepted."""
        return [each for each in self.received if str(each.reply).startswith("2")]

    def wait_for(self, count: int, timeout: float = 10.0) -> list[Received]:
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
                self._sockets.append(connection)
                talk = Conversation(opened=time.time())
                self.conversations.append(talk)
                one = _Talk(self, connection, talk)
                threading.Thread(target=one.run, daemon=True).start()


class _Over(Exception):
    """The connection ends here."""


class _Talk:
    def __init__(
        self, server: Scripted, connection: socket.socket, talk: Conversation
    ) -> None:
        self.server = server
        self.wire = connection
        self.talk = talk
        self.unread = b""
        self.held = b""
        self.sender = ""
        self.recipients: list[str] = []

    def run(self) -> None:
        with suppress(OSError, _Over):
            if self.server.implicit_tls:
                self._start_tls()
            self._say("GREETING", "220 scripted.test ESMTP")
            while True:
                self._obey(self._line())
        self.talk.closed = True
        # Without a shutdown a thread that still reads keeps the connection open.
        with suppress(OSError):
            self.wire.close()

    def _obey(self, command: str) -> None:
        verb, _, rest = command.partition(" ")
        verb = verb.upper()
        self.talk.commands.append("AUTH" if verb == "AUTH" else command)
        address = rest.partition("<")[2].partition(">")[0]
        method = getattr(self, f"_{verb.lower()}", None)
        if method is None:
            self._say(verb, "502 5.5.2 what?")
        elif verb in ("MAIL", "RCPT"):
            method(address)
        else:
            method(rest)

    def _ehlo(self, name: str) -> None:
        known = list(self.server.extensions)
        if self.server.certificates and not self.talk.tls:
            known.append("STARTTLS")
        if self.server.login:
            known.append("AUTH PLAIN LOGIN")
        lines = ["scripted.test", *known]
        text = "\n".join(f"250-{line}" for line in lines[:-1])
        self._say("EHLO", f"{text}\n250 {lines[-1]}".strip())

    def _helo(self, name: str) -> None:
        self._say("HELO", "250 scripted.test")

    def _starttls(self, nothing: str) -> None:
        said = self._say("STARTTLS", "220 2.0.0 go ahead")
        if isinstance(said, str) and said.startswith("220"):
            self._start_tls()

    def _auth(self, arguments: str) -> None:
        mechanism, _, initial = arguments.partition(" ")
        if mechanism.upper() == "PLAIN":
            _, user, password = base64.b64decode(initial).decode().split("\0")
        else:
            user = self._ask("334 VXNlcm5hbWU6")
            password = self._ask("334 UGFzc3dvcmQ6")
        self.talk.login = (user, password)
        good = self.talk.login == self.server.login
        self._say("AUTH", "235 2.7.0 ok" if good else "535 5.7.8 wrong")

    def _mail(self, address: str) -> None:
        said = self._say("MAIL", "250 2.1.0 ok", address)
        self.sender, self.recipients = address, []
        self.taken = str(said).startswith("2")

    def _rcpt(self, address: str) -> None:
        default = "250 2.1.5 ok" if self.taken else "503 5.5.1 MAIL first"
        if str(self._say("RCPT", default, address)).startswith("2"):
            self.recipients.append(address)

    def _data(self, nothing: str) -> None:
        default = "354 go" if self.recipients else "554 5.5.1 no valid recipients"
        if not str(self._say("DATA", default)).startswith("354"):
            return
        self._flush()
        content = self._content()
        reply = self.server.answer("END", "", "250 2.0.0 Ok: queued")
        self.talk.received.append(
            Received(self.sender, self.recipients, content, reply, time.time())
        )
        self._perform(reply)

    def _rset(self, nothing: str) -> None:
        self._say("RSET", "250 2.0.0 ok")

    def _noop(self, nothing: str) -> None:
        self._say("NOOP", "250 2.0.0 ok")

    def _quit(self, nothing: str) -> None:
        self._say("QUIT", "221 2.0.0 bye")
        self._flush()
        raise _Over

    def _content(self) -> bytes:
        """The content up to its last dot, dot stuffing undone."""
        # The end of the DATA command belongs to the last dot.
        content, self.unread = bytearray(b"\r\n" + self.unread), b""
        during, looked = self.server.during, 0
        try:
            while (end := content.find(b"\r\n.\r\n", looked)) < 0:
                looked = max(0, len(content) - 4)
                if during and len(content) - 2 >= during[0]:
                    self._perform(during[1])
                    self._flush()
                    during = None
                content += self._receive()
        except (_Over, OSError):
            self.talk.unfinished = bytes(content[2:])
            raise
        self.unread = bytes(content[end + 5 :])
        return bytes(content[: end + 2].replace(b"\r\n.", b"\r\n")[2:])

    def _say(self, name: str, default: str, address: str = "") -> Any:
        answer = self.server.answer(name, address, default)
        self._perform(answer)
        return answer

    def _perform(self, answer: Any) -> None:
        if isinstance(answer, Hang):
            self._flush()
            self.server.stopping.wait()
            raise _Over
        if isinstance(answer, Late):
            self._flush()
            answer.event.wait(30)
            return self._perform(answer.answer)
        if isinstance(answer, Raw | Drop):
            self.held += answer.data
        else:
            self.held += answer.replace("\n", "\r\n").encode() + b"\r\n"
        if isinstance(answer, Drop):
            self._flush()
            raise _Over
        if self.server.delivery != "coalesced" or b"\n" not in self.unread:
            self._flush()
        return None

    def _ask(self, challenge: str) -> str:
        self._perform(challenge)
        return base64.b64decode(self._line()).decode()

    def _flush(self) -> None:
        data, self.held = self.held, b""
        if self.server.delivery == "bytewise":
            for octet in data:
                self.wire.sendall(bytes([octet]))
        elif data:
            self.wire.sendall(data)

    def _line(self) -> str:
        while b"\n" not in self.unread:
            self._flush()
            self.unread += self._receive()
        line, _, self.unread = self.unread.partition(b"\n")
        return line.removesuffix(b"\r").decode("utf-8", "replace")

    def _receive(self) -> bytes:
        data = self.wire.recv(65536)
        if not data:
            raise _Over
        return data

    def _start_tls(self) -> None:
        assert self.server.certificates is not None
        self.wire = self.server.certificates.server_context.wrap_socket(
            self.wire, server_side=True
        )
        self.talk.tls = True
