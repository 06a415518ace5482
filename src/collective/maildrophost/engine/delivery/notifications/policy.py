"""Who is told of what, by the configuration."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from ...config import Configuration

RELAY_FAULT_LASTS_SECONDS = 900.0
"""A relay that is restarted is back sooner: nobody needs to be told."""

_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?\Z")


@dataclass(frozen=True)
class NotificationPolicy:
    """`warn_after` is in seconds, 0 warns nobody; `postmaster` "" stands for nobody.

    `host` is the name that notifications come from.
    """

    host: str
    bounce: bool
    warn_after: float
    postmaster: str

    @classmethod
    def of(cls, configuration: Configuration, host: str) -> NotificationPolicy:
        """The policy of a configuration on the machine with that name."""
        return cls(
            host if _HOST.match(host) else "localhost",
            configuration.bounce,
            configuration.warn_after,
            configuration.postmaster,
        )

    @property
    def tell_of_relay_after(self) -> float:
        """Seconds until the postmaster is told of a relay at fault."""
        return min(RELAY_FAULT_LASTS_SECONDS, self.warn_after or float("inf"))

    def silent(self) -> NotificationPolicy:
        """The policy that tells nobody anything."""
        return replace(self, bounce=False, warn_after=0.0, postmaster="")
