"""The relays of SMTP_HOST."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..wording import Unfit, _
from .hostport import (
    EXPECTED,
    HostPort,
    parse_host_port,
    unexpected,
)


@dataclass(frozen=True)
class RelayAddress(HostPort):
    """Where a relay listens."""


def parse_relays(text: str, default_port: int) -> tuple[RelayAddress, ...]:
    """The relays of a list separated by ``;``; Unfit says which one is wrong."""
    if "@" in text:
        # Before it is split: a password may have a ; in it.
        raise unexpected(EXPECTED, text)
    items = [item.strip() for item in text.split(";")]
    relays = dict.fromkeys(_relay(item, default_port) for item in items if item)
    if not relays:
        raise Unfit(
            _("expected at least one relay: ${what}", mapping={"what": EXPECTED})
        )
    return tuple(relays)


def name_of(relays: Iterable[RelayAddress]) -> str:
    """What the queue and the log call the relays of a configuration together."""
    return ";".join(map(str, relays))


def _relay(text: str, default_port: int) -> RelayAddress:
    address = parse_host_port(text, default_port)
    return RelayAddress(address.host, address.port)
