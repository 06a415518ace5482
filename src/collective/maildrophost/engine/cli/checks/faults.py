"""What daemons at work have found wrong with a relay, where a check may not look."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING

from ...config.relays import name_of
from .. import heartbeats
from ..status import at_fault
from .finding import Finding, failed, warning
from .relays import RELAY

if TYPE_CHECKING:
    from ...config import Configuration
    from ...queue import Daemon, RelayPause

# The form of a RelayFault. With 4.6 the client says itself what a relay that refused
# EHLO cannot take.
_ONLY_WITH_MAIL = re.compile(
    r"relay \S+: (?:(?:mail|rcpt|data): |ehlo: (?=4\.6\.))(?P<reply>.*)"
)
_TLS_WANTED = re.compile(r"530 .*\b(?:START)?TLS\b", re.IGNORECASE)  # RFC 3207
_LOGIN_WANTED = re.compile(r"530\b|5\d\d 5\.7\.0\b")


def check(configuration: Configuration) -> Iterator[Finding]:
    """The fault of every relay in use; why a queue fails is said with the queue."""
    from ...queue import QueueError

    try:
        paused, mail_waits, elsewhere = _look(configuration)
    except QueueError:
        return
    for pause in paused:
        met = _ONLY_WITH_MAIL.match(pause.fault)
        # Whether the relay still has any other fault has just been tried. Without mail
        # nobody tries it: it may work by now.
        fails = met and mail_waits and pause.name not in elsewhere
        found = failed if fails else warning
        hint = _hint(met["reply"]) if met else ""
        coming = "the daemon goes on trying" if mail_waits else "the next mail tries it"
        yield found(RELAY, f"{at_fault(pause)}{hint}; {coming}")


def _hint(reply: str) -> str:
    if _TLS_WANTED.match(reply):
        return " (see MAILDROP_TLS)"
    return " (see MAILDROP_LOGIN)" if _LOGIN_WANTED.match(reply) else ""


def _look(
    configuration: Configuration,
) -> tuple[tuple[RelayPause, ...], bool, set[str]]:
    """The faults, whether mail would meet them, and the relays that are others'."""
    from ...queue import open_queue, pauses, pauses_in_use, queue_length

    alive = heartbeats.alive(configuration)
    if not alive:
        return (), False, set()
    with closing(open_queue(configuration.queue)) as queue, queue.read() as tx:
        faults = pauses_in_use(tuple(pauses(tx)), alive)
        return faults, queue_length(tx) > 0, _elsewhere(configuration, alive)


def _elsewhere(configuration: Configuration, alive: Iterable[Daemon]) -> set[str]:
    """The relays of other configurations on the queue, if this one's are in use, too.

    Their own checks fail for these; nothing in this configuration can mend them.
    """
    in_use, own = {each.relay for each in alive}, name_of(configuration.relays)
    return in_use - {own} if own in in_use else set()
