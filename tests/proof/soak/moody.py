"""A relay that does now and then each thing that docs/faults.md lists of relays."""

from __future__ import annotations

import random
import time
from collections import Counter
from typing import Any

from servers.scripted import Drop, Scripted

SHORT_SECONDS, TARPIT_SECONDS = (0.02, 0.3), (2.0, 5.0)

DEFERRED = "451 4.3.0 not now"
CLOSING = "421 4.3.2 closing"
MOODS: dict[str, list[tuple[float, Any]]] = {
    "GREETING": [(0.02, CLOSING), (0.02, Drop()), (0.01, "554 5.3.0 go away")],
    "EHLO": [(0.005, Drop()), (0.005, CLOSING)],
    "MAIL": [(0.01, DEFERRED), (0.004, CLOSING), (0.004, Drop(reset=True))],
    "RCPT": [(0.02, DEFERRED), (0.01, "550 5.1.1 no such user"), (0.003, CLOSING)],
    "DATA": [(0.01, DEFERRED), (0.004, Drop()), (0.003, "550 5.7.1 refused")],
    "END": [(0.01, DEFERRED), (0.005, "552 5.3.4 refused"), (0.01, Drop(reset=True))],
    "RSET": [(0.01, Drop())],
    "QUIT": [(0.05, Drop())],
}


class Moody(Scripted):
    """Scripted, by chance, until it is told to be `calm`."""

    def __init__(self) -> None:
        super().__init__()
        self.calm = False
        self.moods: Counter[str] = Counter()

    def answer(self, name: str, address: str, default: Any) -> Any:
        if self.calm:
            return default
        chance = random.random()
        if chance > 0.97:
            self._wait("delay", SHORT_SECONDS)
        elif chance > 0.969:
            self._wait("tarpit", TARPIT_SECONDS)
        for share, answer in MOODS.get(name, ()):
            if chance < share:
                kind = "drop" if isinstance(answer, Drop) else answer[:3]
                self.moods[f"{name} {kind}"] += 1
                return answer
            chance -= share
        return default

    def _wait(self, mood: str, seconds: tuple[float, float]) -> None:
        self.moods[mood] += 1
        time.sleep(random.uniform(*seconds))

    def forget_contents(self) -> None:
        """The ledger needs only the names of what came."""
        for talk in list(self.conversations):
            for each in talk.received:
                each.content = b""
            talk.unfinished = b""
