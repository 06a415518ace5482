"""The decision about a batch: a pure function of what is known."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from collective.maildrophost.engine.queue import Batch
from collective.maildrophost.engine.system.identity import Fate
from collective.maildrophost.indoubt.endings import Ending


class Decision(enum.Enum):
    """What is to be done with the mail of a batch."""

    RELEASE = enum.auto()
    DISCARD = enum.auto()
    WAIT = enum.auto()
    """Its transaction may still go on, or somebody else may still end it."""
    PERSON = enum.auto()
    """Only somebody who knows the site can tell."""


@dataclass(frozen=True)
class Known:
    """What is known of a batch, with the `fate` of its process.

    `here` is the ending that this process knows, None if it knows none; `logged` is the
    one that the logs tell, None if they were not asked. `settled`: the logs have all
    that there will be. `had_its_time`: if it has committed, its process would have
    released it by now.
    """

    batch: Batch
    fate: Fate
    here: Ending | None
    logged: Ending | None
    settled: bool
    had_its_time: bool


def decide(known: Known) -> Decision:
    """What is to be done now."""
    if Ending.COMMITTED in (known.here, known.logged):
        # A process that may still run releases its batch itself, a moment later.
        elsewhere = known.here is None and known.fate is Fate.UNKNOWN
        waits = elsewhere and not known.had_its_time
        return Decision.WAIT if waits else Decision.RELEASE
    if known.here is Ending.ABORTED:
        return Decision.DISCARD
    if known.here is None and known.fate is not Fate.ENDED:
        return Decision.WAIT
    # All vote before anybody commits: without its vote, nothing at all has committed.
    if not known.batch.voted:
        return Decision.DISCARD
    if not known.settled:
        return Decision.WAIT
    return Decision.DISCARD if known.logged is Ending.ABORTED else Decision.PERSON
