"""A relay that answers as hypothesis tells it, and what a strict reader makes of it."""

# `Talk` drives procedures against such a relay and writes down who said what when.
# `transactions` reads these notes with rules of its own, which are simpler and stricter
# than the client's: one reply for one command, none before its command was written.
# It shares no code with what it judges.

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from collective.maildrophost.engine.smtp.replies import MalformedReply
from collective.maildrophost.engine.smtp.steps import Broken, Expect, Send

LONGEST_LINE, MOST_LINES = 4096, 256
EXTENSIONS = b"250-relay.test\r\n%b250 HELP\r\n"


class Relay:
    """Answers every command, in order; `answers` take the place of the usual ones.

    An answer is the bytes to say, or None for the usual ones. `interjections` are said
    after each piece of content but the last. When they run out all is as usual.
    """

    def __init__(
        self,
        keywords: Iterable[str] = (),
        answers: Iterable[bytes | None] = (),
        interjections: Iterable[bytes] = (),
    ) -> None:
        lines = b"".join(b"250-%b\r\n" % word.encode() for word in keywords)
        self._usual = {b"EHLO": EXTENSIONS % lines, b"DATA": b"354 go\r\n"}
        self._answers = iter(answers)
        self._interjections = iter(interjections)
        self._unread = b""
        self._in_content = False
        self.said = deque([self._answer(b"GREETING")])

    def read(self, data: bytes) -> None:
        self._unread += data
        while self._in_content or b"\r\n" in self._unread:
            if self._in_content:
                if not self._content_ends():
                    self.said.append(next(self._interjections, b""))
                    return
                command = b"."
            else:
                line, _, self._unread = self._unread.partition(b"\r\n")
                command = line.partition(b" ")[0]
            answer = self._answer(command)
            self._in_content = command == b"DATA" and answer.startswith(b"3")
            self.said.append(answer)

    def _answer(self, command: bytes) -> bytes:
        answer = next(self._answers, None)
        return self._usual.get(command, b"250 ok\r\n") if answer is None else answer

    def _content_ends(self) -> bool:
        end = (b"\r\n" + self._unread).find(b"\r\n.\r\n")
        if end >= 0:
            self._unread = self._unread[end + 3 :]
            self._in_content = False
        else:
            self._unread = self._unread[-4:]
        return end >= 0


class Noise:
    """Says the given bytes, whatever it is told."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self.said = deque(chunks)

    def read(self, data: bytes) -> None:
        """Nothing is understood."""


@dataclass(frozen=True)
class Wrote:
    """`heard`: octets that the relay had said before; `left`: as `Send` answers."""

    call: int
    data: bytes
    heard: int
    left: bool


@dataclass
class Talk:
    """Procedures driven one after the other on one connection.

    `cut` is the most octets that arrive at once. `hurries` tell of each write whether
    the relay's words come while it is under way: "" no, "heard" yes, "blocked" yes,
    and what was written had not left by then.
    """

    relay: Relay | Noise
    replies: object
    cut: int = 1 << 20
    hurries: Iterable[str] = ()
    heard: bytes = b""
    notes: list[Wrote] = field(default_factory=list)
    calls: int = 0
    steps: int = 0

    def __post_init__(self) -> None:
        self.hurries = iter(self.hurries)

    def run(self, procedure):
        """The result of the procedure."""
        self.calls += 1
        answer, broken = None, None
        try:
            while True:
                self.steps += 1
                step = procedure.throw(broken) if broken else procedure.send(answer)
                answer, broken = None, None
                try:
                    answer = self._perform(step)
                except Broken as error:
                    broken = error
        except StopIteration as end:
            return end.value

    def _perform(self, step):
        if isinstance(step, Send):
            return self._write(step.data)
        if isinstance(step, Expect):
            return self._expect(step.phase)
        return None

    def _write(self, data):
        heard, hurry = len(self.heard), next(self.hurries, "")
        self.relay.read(data)
        spoke = bool(hurry) and self._listen()
        # A lone dot fits into any buffer.
        left = not (spoke and hurry == "blocked") or data == b".\r\n"
        self.notes.append(Wrote(self.calls, data, heard, left))
        return left

    def _expect(self, phase):
        while True:
            try:
                reply = self.replies.take()
            except MalformedReply as malformed:
                raise Broken(phase, str(malformed)) from None
            if reply is not None:
                return reply
            if not self._listen():
                raise Broken(phase, "dropped")

    def _listen(self) -> bool:
        said = self.relay.said
        while said and not said[0]:
            said.popleft()
        if not said:
            return False
        chunk = said.popleft()
        if len(chunk) > self.cut:
            said.appendleft(chunk[self.cut :])
            chunk = chunk[: self.cut]
        self.heard += chunk
        self.replies.feed(chunk)
        return True


@dataclass
class Transaction:
    """Codes by command, 0 where no reply came; `end` after the last dot, if it left."""

    call: int
    mail: int
    rcpts: dict[str, int] = field(default_factory=dict)
    data: int = 0
    content: bytes = b""
    dot_left: bool = False
    end: int = 0
    early: int = 0

    def took(self, address: str) -> bool:
        """Whether the relay has the message for this recipient."""
        codes = (self.mail, self.rcpts.get(address, 0), self.data, self.end)
        return self.dot_left and [code // 100 for code in codes] == [2, 2, 3, 2]

    @property
    def codes(self) -> list[int]:
        return [self.mail, *self.rcpts.values(), self.data, self.end, self.early]

    @property
    def is_unknown(self) -> bool:
        """Whether the relay may have taken the message without saying so."""
        accepted = any(code // 100 == 2 for code in self.rcpts.values())
        return self.dot_left and accepted and self.end // 100 not in (2, 4, 5)


_LINE = re.compile(rb"([2-5][0-9]{2})(?:([- ])[^\n]*)?\r?")


def spoken(heard: bytes) -> list[tuple[int, int]]:
    """Where each whole reply starts with its code, up to what is no reply."""
    replies, start, position, codes = [], 0, 0, []
    while 0 <= (end := heard.find(b"\n", position)) < position + LONGEST_LINE:
        match = _LINE.fullmatch(heard[position:end])
        if (
            not match
            or match[1] not in (codes or [match[1]])
            or len(codes) >= MOST_LINES
        ):
            break
        position = end + 1
        codes.append(match[1])
        if match[2] != b"-":
            replies.append((start, int(match[1])))
            start, codes = position, []
    return replies


def transactions(talk: Talk) -> list[Transaction]:
    """What happened, command by command."""
    replies = deque(spoken(talk.heard))
    if replies:
        replies.popleft()  # the greeting
    found: list[Transaction] = []
    content = None
    for wrote in talk.notes:
        rest = wrote.data
        while rest:
            if content is None:
                line, _, rest = rest.partition(b"\r\n")
                code = _code(replies, wrote.heard)
                content = _command(found, wrote.call, line.decode(), code)
                continue
            content += rest
            found[-1].content = content
            rest = b""
            if wrote.left and (b"\r\n" + content).endswith(b"\r\n.\r\n"):
                found[-1].dot_left = True
                found[-1].end = _code(replies, wrote.heard)
                content = None
    if content is not None:
        # The content was broken off: the relay had answered before its end.
        found[-1].early = _code(replies, 0)
    return found


def _command(found, call, line, code):
    """Content from now on when it is b"", else None."""
    verb, _, rest = line.partition(" ")
    address = rest.partition("<")[2].partition(">")[0]
    if verb == "MAIL":
        found.append(Transaction(call, code))
    elif verb == "RCPT":
        found[-1].rcpts[address] = code
    elif verb == "DATA":
        found[-1].data = code
        return b"" if code // 100 == 3 else None
    return None


def _code(replies, heard):
    """The code of the next reply; 0 when it had come before its command."""
    if not replies:
        return 0
    start, code = replies.popleft()
    return code if start >= heard else 0
