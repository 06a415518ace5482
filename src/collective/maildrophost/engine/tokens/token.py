"""An access token with the time it is good for."""

from __future__ import annotations

from dataclasses import dataclass

from ..secrets import Secret

EARLIEST_SECONDS = 300.0
EARLIEST_SHARE = 0.1
"""How long before it expires a token is renewed: the shorter of these times."""


@dataclass(frozen=True)
class AccessToken:
    """Times are seconds of one clock, whichever the caller asks with."""

    secret: Secret
    issued: float
    expires: float

    def is_valid(self, now: float) -> bool:
        """Whether a relay would still take it."""
        return now < self.expires

    def is_due(self, now: float) -> bool:
        """Whether it is time to ask for the next one."""
        lifetime = self.expires - self.issued
        early = min(EARLIEST_SECONDS, EARLIEST_SHARE * lifetime)
        return now >= self.expires - early
