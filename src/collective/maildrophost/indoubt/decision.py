"""The decision about a batch: a pure function of what is known."""

from __future__ import annotations

import enum

from collective.maildrophost.engine.identity import Fate
from collective.maildrophost.engine.queue import Batch
from collective.maildrophost.indoubt.endings import Ending


class Decision(enum.Enum):
    """What is to be done with the mail of a batch."""

    RELEASE = enum.auto()
    DISCARD = enum.auto()
    WAIT = enum.auto()
    """Its transaction may still go on."""
    PERSON = enum.auto()
    """Nobody can tell but somebody who knows the site."""


def decide(
    batch: Batch, fate: Fate, here: Ending | None, logged: Ending | None
) -> Decision:
    """`fate` of its process; the ending that is known `here`, and the one `logged`.

    None: nothing is known here, the logs were not asked.
    """
    if Ending.COMMITTED in (here, logged):
        return Decision.RELEASE
    if here is Ending.ABORTED:
        return Decision.DISCARD
    if here is None and fate is not Fate.ENDED:
        return Decision.WAIT
    # All vote before the first one finishes: nothing at all has committed.
    if not batch.voted or logged is Ending.ABORTED:
        return Decision.DISCARD
    return Decision.PERSON
