"""The fault of a token endpoint, as opposed to one of the relay."""

from __future__ import annotations

from ..errors import MaildropError


class TokenFault(MaildropError):
    """There is no access token now; no message is to blame.

    `reason` is one printable line without credentials. `permanent` means that a person
    must act (a wrong secret, a client that may not do this): waiting will not mend it.
    """

    def __init__(self, reason: str, permanent: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent
