"""What one attempt at one message has led to, as it is going to be written down."""

from __future__ import annotations

from dataclasses import dataclass

from ..queue import Claim, OpenRecipient
from ..verdict import Outcome, Verdict


@dataclass(frozen=True)
class Judged:
    """A recipient with what the relay `said` and the `verdict` that it comes to."""

    recipient: OpenRecipient
    said: Verdict
    verdict: Verdict

    @property
    def expired(self) -> bool:
        """Whether it failed by the end of its lifetime, not by the relay's word."""
        return (
            self.said.outcome is Outcome.DEFERRED
            and self.verdict.outcome is Outcome.FAILED
        )


@dataclass(frozen=True)
class Attempt:
    """One attempt at `now`; recipients that were not tried are not in `judged`.

    `before` are those that were deferred in the SMTP transactions just before this one.
    `age` is for how many seconds the message has been undelivered, `given_up` when its
    lifetime ends (seconds since the epoch). `relay` is "-" where none was reached.
    """

    claim: Claim
    relay: str
    judged: tuple[Judged, ...]
    now: float
    age: float
    given_up: float
    before: tuple[Judged, ...]

    def with_outcome(self, outcome: Outcome) -> tuple[Judged, ...]:
        """The recipients who have this outcome in this attempt."""
        return tuple(each for each in self.judged if each.verdict.outcome is outcome)

    @property
    def waiting(self) -> tuple[Judged, ...]:
        """All who were tried and will be tried again."""
        return (*self.before, *self.with_outcome(Outcome.DEFERRED))
