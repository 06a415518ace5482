"""How a relay is to be spoken to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..secrets import Secret

TLS_NEVER, TLS_WHEN_OFFERED, TLS_REQUIRED, TLS_IMPLICIT = range(4)


@dataclass(frozen=True)
class Security:
    """Transport security: `tls` is the value of MAILDROP_TLS, 0 to 3.

    `verify` counts where TLS is demanded (2 and 3), and with 1 before a login to
    another machine; `ca_file` is the path of a CA bundle that is trusted beside the
    system's, or "".
    """

    tls: int = TLS_NEVER
    verify: bool = True
    ca_file: str = ""

    @property
    def demanded(self) -> bool:
        """Whether nothing but EHLO and STARTTLS may be sent without TLS."""
        return self.tls in (TLS_REQUIRED, TLS_IMPLICIT)


@dataclass(frozen=True)
class Login:
    """SMTP AUTH: `mechanism` is "plain", "login", "xoauth2", or "" (the strongest).

    For xoauth2 the `password` is an access token.
    """

    user: str
    password: Secret
    mechanism: str = ""
    allow_cleartext: bool = False
