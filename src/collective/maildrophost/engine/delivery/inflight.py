"""What the connections of a daemon are working on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from ..message import Lane
from ..queue import Claim


@dataclass(frozen=True)
class InFlight:
    """How many messages of each lane, and how many octets of its large ones."""

    messages: Counter[Lane] = field(default_factory=Counter)
    octets: Counter[Lane] = field(default_factory=Counter)

    def with_more(self, claims: Iterable[Claim]) -> InFlight:
        """After these were handed out."""
        claims = tuple(claims)
        return InFlight(self.messages + _count(claims), self.octets + _octets(claims))

    def without(self, claims: Iterable[Claim]) -> InFlight:
        """After these have ended."""
        claims = tuple(claims)
        return InFlight(self.messages - _count(claims), self.octets - _octets(claims))


def _count(claims: Iterable[Claim]) -> Counter[Lane]:
    return Counter(each.lane for each in claims)


def _octets(claims: Iterable[Claim]) -> Counter[Lane]:
    octets: Counter[Lane] = Counter()
    for each in claims:
        if each.is_large:
            octets[each.lane] += each.size
    return octets
