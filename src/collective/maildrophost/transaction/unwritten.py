"""The mail of a transaction that is still in memory."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

from collective.maildrophost.engine.message import Message


class Unwritten:
    """Messages with their origins, in the order in which they were sent."""

    def __init__(self) -> None:
        self._sent: list[tuple[Message, str]] = []
        self.octets = 0
        """Of all contents together."""

    def __len__(self) -> int:
        return len(self._sent)

    def add(self, message: Message, origin: str) -> None:
        """Take one more."""
        self._sent.append((message, origin))
        self.octets += len(message.content)

    def by_origin(self) -> Iterator[tuple[str, list[Message]]]:
        """Runs of messages with one origin: several sites may share a transaction."""
        for origin, sent in groupby(self._sent, key=itemgetter(1)):
            yield origin, [message for message, _ in sent]

    def keep_first(self, count: int) -> None:
        """Forget all but the first `count` messages."""
        del self._sent[count:]
        self.octets = sum(len(message.content) for message, _ in self._sent)
