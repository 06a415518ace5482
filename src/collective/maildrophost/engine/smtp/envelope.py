"""Envelope addresses as they go over the wire."""

# Rules of this file:
# - An address that could end its line or its angle brackets never leaves.
# - A domain goes as A-labels (RFC 5891), so that only a local part beyond ASCII needs
#   SMTPUTF8 (RFC 6531).

from __future__ import annotations

from dataclasses import dataclass

from ..domains import ascii_domain
from ..verdict import Outcome, Verdict
from .capabilities import Capabilities


class UnsendableAddress(Exception):
    """No relay can be given this address; `verdict` says why."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.reply)
        self.verdict = verdict


@dataclass(frozen=True)
class Path:
    """An address as it goes between angle brackets; `utf8`: it needs SMTPUTF8."""

    address: str
    utf8: bool


def path(address: str, capabilities: Capabilities) -> Path:
    """The address for the wire; UnsendableAddress when it must not or cannot go.

    "" is the null sender; a local part without a domain is the relay's to judge.
    """
    if not address.isprintable() or any(char in address for char in " <>"):
        raise UnsendableAddress(
            Verdict(Outcome.FAILED, f"5.1.3 {address!a} is no mail address")
        )
    if address.isascii():
        return Path(address, utf8=False)
    local, at, domain = address.rpartition("@")
    encoded = f"{local}{at}{ascii_domain(domain)}" if at else address
    utf8 = not encoded.isascii()
    if utf8 and not capabilities.offers("SMTPUTF8"):
        raise UnsendableAddress(_without_smtputf8(address, capabilities))
    return Path(encoded, utf8)


def _without_smtputf8(address: str, capabilities: Capabilities) -> Verdict:
    if capabilities.extended:
        return Verdict(
            Outcome.FAILED, f"5.6.7 {address} needs SMTPUTF8, which the relay lacks"
        )
    # A relay that refused EHLO said nothing about SMTPUTF8: it may offer it later.
    return Verdict(
        Outcome.DEFERRED, f"4.6.7 {address} needs SMTPUTF8, but the relay refused EHLO"
    )
