"""What had been said to whom at a moment: promises that outlive a power cut.

- The writing program tells each step of each mail, by a line on its standard output.
- On its connections the daemon shows which mail it offers: every mail has a sender of
  its own, its name. What the relay answers depends on the recipient.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from dataclasses import dataclass

from proof.powercut.calls import Call

TOLD = b"told "
_OFFER = re.compile(rb"MAIL FROM:<([^@>]+)@.*\r\nRCPT TO:<([^@>]+)@")
ACCEPTED = b"ok"
"""Whose mail the relay takes at once."""


@dataclass
class Offers:
    """Of one mail: how often it was offered, and how many ends had to be recorded.

    An offer has ended when its connection offers the next mail.
    """

    made: int = 0
    ended: int = 0
    accepted: int = 0


class Testimony:
    """Hears one call after the other, each when it begins."""

    def __init__(self) -> None:
        self.steps: dict[str, str] = {}
        """The last word on each mail."""
        self.offers: dict[str, Offers] = defaultdict(Offers)
        self._under_way: dict[str, tuple[str, bool]] = {}

    def hear(self, call: Call) -> bool:
        """Heed what is said by making this call; whether anything is."""
        if call.name not in ("write", "writev", "sendto", "sendmsg"):
            return False
        if call.connection:
            return self._offer(call.connection, b"".join(call.strings))
        return call.file == os.devnull and self._tell(b"".join(call.strings))

    def _tell(self, data: bytes) -> bool:
        lines = [line for line in data.splitlines() if line.startswith(TOLD)]
        for line in lines:
            step, name = line.removeprefix(TOLD).decode().split()
            self.steps[name] = step
        return bool(lines)

    def _offer(self, connection: str, data: bytes) -> bool:
        # An RSET may come with it.
        found = _OFFER.search(data)
        if found is None:
            return False
        if connection in self._under_way:
            before, accepted = self._under_way[connection]
            self.offers[before].ended += 1
            self.offers[before].accepted += accepted
        name = found[1].decode()
        self._under_way[connection] = name, found[2] == ACCEPTED
        self.offers[name].made += 1
        return True
