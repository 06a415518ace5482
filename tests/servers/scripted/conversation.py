"""The server's side of one connection."""

from __future__ import annotations

import base64
import socket
import struct
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from waiting import PATIENCE_SECONDS

from .answers import Drop, Endless, Hang, Late, Pieces, Raw, said
from .records import Conversation, Received

if TYPE_CHECKING:
    from .server import Scripted

RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: nothing is waited for, so that the connection ends by RST."""
BLOCK_OCTETS = 65536
WAIT_SECONDS = 2 * PATIENCE_SECONDS
"""How long to wait for an event that no test may set any more."""


class _Over(Exception):
    """The connection ends here."""


class Talk:
    """Reads commands, performs the answers of the script, until one side ends."""

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
            known.append("AUTH PLAIN LOGIN XOAUTH2")
        lines = ["scripted.test", *known]
        text = "\n".join(f"250-{line}" for line in lines[:-1])
        self._say("EHLO", f"{text}\n250 {lines[-1]}".strip())

    def _helo(self, name: str) -> None:
        self._say("HELO", "250 scripted.test")

    def _starttls(self, nothing: str) -> None:
        answer = self._say("STARTTLS", "220 2.0.0 go ahead")
        if said(answer).startswith("220"):
            self._start_tls()

    def _auth(self, arguments: str) -> None:
        mechanism, _, initial = arguments.partition(" ")
        if mechanism.upper() == "XOAUTH2":
            return self._xoauth2(base64.b64decode(initial).decode())
        if mechanism.upper() == "PLAIN":
            _, user, password = base64.b64decode(initial).decode().split("\0")
        else:
            user = self._ask("334 VXNlcm5hbWU6")
            password = self._ask("334 UGFzc3dvcmQ6")
        self.talk.login = (user, password)
        good = self.talk.login == self.server.login
        self._say("AUTH", "235 2.7.0 ok" if good else "535 5.7.8 wrong")
        return None

    def _xoauth2(self, initial: str) -> None:
        user, token, *rest = initial.split("\1")
        user, token = user.removeprefix("user="), token.removeprefix("auth=Bearer ")
        self.talk.login = (user, token)
        takes = self.server.login
        if callable(takes) and takes(user, token) and rest == ["", ""]:
            self._say("AUTH", "235 2.7.0 ok")
        # The reason comes as a challenge; the 535 follows an empty answer to it.
        elif self._ask("334 eyJzdGF0dXMiOiI0MDEifQ==") == "":
            self._say("AUTH", "535 5.7.8 wrong")

    def _mail(self, address: str) -> None:
        answer = self._say("MAIL", "250 2.1.0 ok", address)
        self.sender, self.recipients = address, []
        self.taken = said(answer).startswith("2")

    def _rcpt(self, address: str) -> None:
        default = "250 2.1.5 ok" if self.taken else "503 5.5.1 MAIL first"
        if said(self._say("RCPT", default, address)).startswith("2"):
            self.recipients.append(address)

    def _data(self, nothing: str) -> None:
        default = "354 go" if self.recipients else "554 5.5.1 no valid recipients"
        if not said(self._say("DATA", default)).startswith("354"):
            return
        self._flush()
        content = self._content()
        reply = self.server.answer("END", "", "250 2.0.0 Ok: queued")
        received = Received(self.sender, self.recipients, content, reply, time.time())
        self.talk.received.append(received)
        self._perform(reply)
        received.answered = True

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
                left = during[0] + 2 - len(content) if during else BLOCK_OCTETS
                if during and left <= 0:
                    self._perform(during[1])
                    self._flush()
                    during = None
                    continue
                content += self._receive(min(left, BLOCK_OCTETS))
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
            answer.event.wait(WAIT_SECONDS)
            return self._perform(answer.answer)
        if isinstance(answer, Pieces | Endless):
            self._flush()
            return self._write(answer)
        if isinstance(answer, Raw | Drop):
            self.held += answer.data
        else:
            self.held += answer.replace("\n", "\r\n").encode() + b"\r\n"
        if isinstance(answer, Drop):
            self._flush()
            if answer.reset:
                self.wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            raise _Over
        if self.server.delivery != "coalesced" or b"\n" not in self.unread:
            self._flush()
        return None

    def _write(self, answer: Pieces | Endless) -> None:
        if isinstance(answer, Endless):
            while True:
                self.wire.sendall(answer.data)
        for part in answer.parts:
            if isinstance(part, threading.Event):
                part.wait(WAIT_SECONDS)
            else:
                self.wire.sendall(part)

    def _ask(self, challenge: str) -> str:
        self._perform(challenge)
        return base64.b64decode(self._line()).decode()

    def _flush(self) -> None:
        data, self.held = self.held, b""
        if data and self.server.round_trip:
            time.sleep(self.server.round_trip)
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

    def _receive(self, most: int = BLOCK_OCTETS) -> bytes:
        data = self.wire.recv(most)
        if not data:
            raise _Over
        return data

    def _start_tls(self) -> None:
        assert self.server.certificates is not None
        self.wire = self.server.certificates.server_context.wrap_socket(
            self.wire, server_side=True
        )
        self.talk.tls = True
