"""What a daemon says of an attempt, and what the queue has made of it."""

from __future__ import annotations

from dataclasses import dataclass

from ..message import Message
from ..verdict import Verdict
from .standing import MessageKey


@dataclass(frozen=True)
class Settlement:
    """The verdicts of one attempt at one message: that with this `id` and `created`.

    `attempts` is what the claim counted, `time` when this one ended (seconds since the
    epoch): no other attempt at this message has both a later number and that time.
    `due` is the time of the next attempt, used when a recipient stays open;
    `verdicts` has the recipient's position with each verdict. `others_first`: the next
    claim is for those that were deferred before and had no turn in this attempt.
    `notifications` are queued in the same transaction, while the claim is alive;
    `warned`: one of them tells the sender of the delay.
    """

    id: int
    created: float
    attempts: int
    owner: str
    time: float
    relay: str
    verdicts: tuple[tuple[int, Verdict], ...]
    due: float
    possible_duplicate: bool
    notifications: tuple[Message, ...] = ()
    warned: bool = False
    others_first: bool = False

    @property
    def key(self) -> MessageKey:
        """Which message it is about."""
        return MessageKey(self.id, self.created)


@dataclass(frozen=True)
class Settled:
    """What came of settlements, where that is not what they say.

    `late` are the ids of those whose claim was lost: of their verdicts only acceptances
    are recorded, and nobody is told of the others. `recipients_lost` are the ids of
    those without verdicts whose message has lost its recipients, and so has failed.
    `accepted` are the ids of those that say otherwise of a message which has been sent:
    acceptances of an earlier attempt came late, and nobody is told of anything else.
    """

    late: frozenset[int] = frozenset()
    recipients_lost: frozenset[int] = frozenset()
    accepted: frozenset[int] = frozenset()


AS_SAID = Settled()
"""All of it is as the settlements say."""
