"""The relays of SMTP_HOST."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from ..wording import Unfit, _
from .hostport import EXPECTED, HostPort, parse_host_port, unexpected

RelayAddress: TypeAlias = HostPort
"""Where a relay listens."""


def parse_relays(text: str, default_port: int) -> tuple[RelayAddress, ...]:
    """The relays of a list separated by ``;``; Unfit says which one is wrong."""
    if "@" in text:
        # Before it is split: a password may have a ; in it.
        raise unexpected(EXPECTED, text)
    items = [item.strip() for item in text.split(";")]
    relays = dict.fromkeys(
        parse_host_port(item, default_port) for item in items if item
    )
    if not relays:
        raise Unfit(
            _("expected at least one relay: ${what}", mapping={"what": EXPECTED})
        )
    return tuple(relays)


def name_of(relays: Iterable[RelayAddress]) -> str:
    """What the queue and the log call the relays of a configuration together."""
    return ";".join(map(str, relays))
