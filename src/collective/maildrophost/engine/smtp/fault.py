"""The fault of a relay, as opposed to one of a message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import MaildropError
from .phases import Phase

if TYPE_CHECKING:
    from ..config import RelayAddress


class RelayFault(MaildropError):
    """The relay cannot be used now; no message is to blame.

    `reason` is one printable line without credentials. `permanent` means that a
    person must act (a refused login, a wrong certificate): waiting will not mend it.
    `silent` means that it did not answer in time.
    """

    def __init__(
        self,
        relay: RelayAddress,
        phase: Phase,
        reason: str,
        permanent: bool = False,
        silent: bool = False,
    ) -> None:
        super().__init__(f"relay {relay}: {phase}: {reason}")
        self.relay = relay
        self.phase = phase
        self.reason = reason
        self.permanent = permanent
        self.silent = silent


class LoginRefused(RelayFault):
    """The relay has refused a login with `code`, usually 535."""

    def __init__(self, relay: RelayAddress, reason: str, code: int) -> None:
        permanent = not 400 <= code <= 499
        super().__init__(relay, Phase.AUTH, reason, permanent)
        self.code = code


def fault_to_tell(first: RelayFault, last: RelayFault) -> RelayFault:
    """Which fault to report of a relay none of whose addresses can be used."""
    # After a fault another address is tried only if the greeting was bad or missing: so
    # of several faults the first is that of an address that could be reached.
    return first if last.phase in (Phase.CONNECT, Phase.GREETING) else last
