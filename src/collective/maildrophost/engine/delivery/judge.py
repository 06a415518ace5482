"""From what the relay said to what is written down: a pure decision."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..queue import Claim, OpenRecipient, Settlement
from ..verdict import Outcome, Verdict
from .retry import RetryPolicy

Judged = tuple[OpenRecipient, Verdict]


def settlement(
    claim: Claim,
    relay: str,
    verdicts: Sequence[Verdict | None],
    possible_duplicate: bool,
    policy: RetryPolicy,
    now: float,
    chance: float,
) -> Settlement:
    """What to record of one attempt.

    A recipient without verdict (None) was not tried: it keeps its place, due as before.
    """
    judged = [
        (recipient, _final(verdict, claim, policy, now))
        for recipient, verdict in zip(claim.recipients, verdicts, strict=True)
        if verdict is not None
    ]
    untried = len(judged) < len(claim.recipients)
    return Settlement(
        id=claim.id,
        owner=claim.owner,
        relay=relay,
        verdicts=tuple((recipient.position, verdict) for recipient, verdict in judged),
        due=claim.due if untried else now + _wait(judged, policy, chance),
        possible_duplicate=possible_duplicate,
    )


def _final(verdict: Verdict, claim: Claim, policy: RetryPolicy, now: float) -> Verdict:
    if verdict.outcome is Outcome.DEFERRED and policy.is_over(claim.since, now):
        days = policy.lifetime / 86400
        words = f"given up after {days:.1f} days, at last: {verdict.reply}"
        return Verdict(Outcome.FAILED, words)
    return verdict


def _wait(judged: Iterable[Judged], policy: RetryPolicy, chance: float) -> float:
    attempts = [
        recipient.attempts + 1
        for recipient, verdict in judged
        if verdict.outcome is Outcome.DEFERRED
    ]
    return policy.wait(max(attempts, default=1), chance)
