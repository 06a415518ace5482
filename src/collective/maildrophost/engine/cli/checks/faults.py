"""What daemons at work have found wrong with a relay, where a check may not look."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

from ..status import at_fault
from .finding import Finding, failed, warning
from .relays import RELAY

if TYPE_CHECKING:
    from ...config import Configuration
    from ...queue import RelayPause

_ONLY_WITH_MAIL = re.compile(r"relay \S+: (?P<phase>mail|rcpt|data): ")
_HINTS = {"mail": " (see MAILDROP_LOGIN)"}


def check(configuration: Configuration) -> Iterator[Finding]:
    """The fault of every relay in use; why a queue fails is said with the queue."""
    from ...queue import QueueError

    try:
        paused = _paused(configuration)
    except QueueError:
        return
    for pause in paused:
        met = _ONLY_WITH_MAIL.match(pause.fault)
        # Whether the relay still has any other fault has just been tried.
        found = failed if met else warning
        hint = _HINTS.get(met["phase"], "") if met else ""
        yield found(RELAY, f"{at_fault(pause)}{hint}; the daemon goes on trying")


def _paused(configuration: Configuration) -> tuple[RelayPause, ...]:
    from ...queue import alive_and_lost, exists, open_queue, pauses, pauses_in_use

    if not exists(configuration.queue):
        return ()
    with closing(open_queue(configuration.queue)) as queue, queue.read() as tx:
        alive, _lost = alive_and_lost(tx, time.time())
        return pauses_in_use(tuple(pauses(tx)), alive) if alive else ()
