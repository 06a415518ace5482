"""How a claim has ended: what is going to be written about it, and what was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ..queue import Claim, Settled, Settlement
from ..verdict import Outcome, Verdict

UNWRITABLE = "the queue refused the relay's words, see the daemon's log"


def nothing() -> None:
    """Nobody waits."""


@dataclass(frozen=True)
class Finished:
    """A claim that ends: with verdicts, or given back because nothing was tried.

    `over` is called once that is on disk, or given up: its connection may go on. A
    `suspect` that is given back may be the reason why the relay was found at fault.
    Once it is written, `dropped` is how many verdicts were not recorded because the
    claim was lost, `recipients_lost` tells that the queue has lost the recipients, and
    `accepted` that the message counts as sent, whatever came of this attempt.
    """

    claim: Claim
    settlement: Settlement | None
    over: Callable[[], None] = field(default=nothing, compare=False)
    suspect: bool = False
    dropped: int = 0
    recipients_lost: bool = False
    accepted: bool = False

    def as_recorded(self, settled: Settled) -> Finished:
        """The same as far as the queue has recorded it: the log tells of no more."""
        if self.settlement is None:
            return self
        if self.claim.id in settled.recipients_lost:
            return replace(self, recipients_lost=True)
        if self.claim.id in settled.accepted:
            untold = replace(self.settlement, notifications=())
            return replace(self, settlement=untold, accepted=True)
        if self.claim.id not in settled.late:
            return self
        verdicts = self.settlement.verdicts
        kept = tuple(each for each in verdicts if each[1].outcome is Outcome.SENT)
        recorded = replace(self.settlement, verdicts=kept, notifications=())
        return replace(self, settlement=recorded, dropped=len(verdicts) - len(kept))

    @property
    def lighter(self) -> Finished:
        """The same, for a large message without its content, to save memory."""
        if not self.claim.is_large:
            return self
        return replace(self, claim=self.claim.without_content())

    @property
    def plain(self) -> Finished:
        """The same verdicts without anything else that a database could refuse."""
        if self.settlement is None:
            return self
        verdicts = tuple(
            (position, Verdict(verdict.outcome, UNWRITABLE))
            for position, verdict in self.settlement.verdicts
        )
        bare = replace(
            self.settlement, verdicts=verdicts, notifications=(), warned=False
        )
        return replace(self, settlement=bare)
