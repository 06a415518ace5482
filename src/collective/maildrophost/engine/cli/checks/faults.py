"""What daemons at work have found wrong with a relay, where a check may not look."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

from .. import heartbeats
from ..status import at_fault
from .finding import Finding, failed, warning
from .relays import RELAY

if TYPE_CHECKING:
    from ...config import Configuration
    from ...queue import RelayPause

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
        paused, mail_waits = _look(configuration)
    except QueueError:
        return
    for pause in paused:
        met = _ONLY_WITH_MAIL.match(pause.fault)
        # Whether the relay still has any other fault has just been tried. Without mail
        # nobody tries it: it may work by now.
        found = failed if met and mail_waits else warning
        hint = _hint(met["reply"]) if met else ""
        coming = "the daemon goes on trying" if mail_waits else "the next mail tries it"
        yield found(RELAY, f"{at_fault(pause)}{hint}; {coming}")


def _hint(reply: str) -> str:
    if _TLS_WANTED.match(reply):
        return " (see MAILDROP_TLS)"
    return " (see MAILDROP_LOGIN)" if _LOGIN_WANTED.match(reply) else ""


def _look(configuration: Configuration) -> tuple[tuple[RelayPause, ...], bool]:
    """The faults, and whether there is mail that would meet them."""
    from ...queue import open_queue, pauses, pauses_in_use, queue_length

    alive = heartbeats.alive(configuration)
    if not alive:
        return (), False
    with closing(open_queue(configuration.queue)) as queue, queue.read() as tx:
        return pauses_in_use(tuple(pauses(tx)), alive), queue_length(tx) > 0
