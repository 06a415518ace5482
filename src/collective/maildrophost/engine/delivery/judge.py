"""From what the relay said to what is written down: a pure decision."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ..queue import Claim, Settlement
from ..queue.openrecipients import MOST
from ..verdict import Outcome, Verdict
from .attempt import Attempt, Judged
from .notifications import NotificationPolicy, delay_warning, failure_notification
from .retry import RetryPolicy


def settlement(
    claim: Claim,
    relay: str,
    verdicts: Sequence[Verdict | None],
    possible_duplicate: bool,
    policy: RetryPolicy,
    notify: NotificationPolicy,
    now: float,
    chance: float,
) -> Settlement:
    """What to record of one attempt, with the notifications that it brings.

    A recipient without a verdict (None) was not tried: it keeps its place, due as
    before. One that is deferred waits until all were tried, then as the policy says;
    so do those who are given up at the end of the message's lifetime.
    """
    bare = bare_settlement(claim, relay, verdicts, possible_duplicate, now)
    if not (claim.deferred or claim.more) and all(
        verdict and verdict.outcome is Outcome.SENT for verdict in verdicts
    ):
        # Nothing to decide, as for nearly all mail.
        return bare
    # The next SMTP transaction is for them, at once.
    others = claim.more or None in verdicts
    attempt = _attempt(claim, relay, verdicts, policy, now, others)
    failure = failure_notification(attempt, notify)
    # There is only one, about all who have to wait: so it waits for their verdicts.
    warning = None if others else delay_warning(attempt, notify)
    return replace(
        bare,
        verdicts=tuple(
            (each.recipient.position, each.verdict) for each in attempt.judged
        ),
        due=min(claim.due, now) if others else now + _wait(attempt, policy, chance),
        notifications=tuple(each for each in (failure, warning) if each is not None),
        warned=warning is not None,
        others_first=others and claim.again,
    )


def bare_settlement(
    claim: Claim,
    relay: str,
    verdicts: Iterable[Verdict | None],
    possible_duplicate: bool,
    now: float,
) -> Settlement:
    """The verdicts as they were given; the message keeps its place in the queue."""
    given = zip(claim.recipients, verdicts, strict=True)
    return Settlement(
        id=claim.id,
        created=claim.created,
        attempts=claim.attempts,
        owner=claim.owner,
        time=now,
        relay=relay,
        verdicts=tuple((each.position, said) for each, said in given if said),
        due=claim.due,
        possible_duplicate=possible_duplicate,
    )


def _attempt(
    claim: Claim,
    relay: str,
    verdicts: Sequence[Verdict | None],
    policy: RetryPolicy,
    now: float,
    others: bool,
) -> Attempt:
    age = policy.age(claim.since, now, _tries(claim))
    judged = tuple(
        Judged(recipient, said, said)
        for recipient, said in zip(claim.recipients, verdicts, strict=True)
        if said is not None
    )
    before = _deferred_before(claim)
    if policy.is_over(age):
        if not _is_last_turn_of_all(claim, policy):
            judged = _given_up(judged, policy)
        elif not others or len(before) >= MOST:
            judged, before = _given_up((*before, *judged), policy), ()
        # Else they wait for the others: there is one notification about all of them.
    given_up = now + max(0.0, policy.lifetime - age)
    return Attempt(claim, relay, judged, now, age, given_up, before)


def _is_last_turn_of_all(claim: Claim, policy: RetryPolicy) -> bool:
    """Whether its lifetime was over already as it became due.

    Else those who were deferred before these may have been so long ago, before an
    outage of the relay, and get another turn.
    """
    return policy.is_over(policy.age(claim.since, claim.due, _tries(claim)))


def _tries(claim: Claim) -> int:
    """How often its recipients were tried, with this attempt.

    The message's own count is of SMTP transactions, of which an attempt may take many.
    """
    tries = [each.attempts + 1 for each in claim.recipients]
    return max([*tries, *(each.attempts for each in claim.deferred)], default=1)


def _deferred_before(claim: Claim) -> tuple[Judged, ...]:
    said = [Verdict(Outcome.DEFERRED, each.reply) for each in claim.deferred]
    return tuple(map(Judged, claim.deferred, said, said))


def _given_up(judged: Iterable[Judged], policy: RetryPolicy) -> tuple[Judged, ...]:
    """The same, where those who would have to wait have failed."""
    return tuple(
        replace(each, verdict=_end(each.said, policy))
        if each.said.outcome is Outcome.DEFERRED
        else each
        for each in judged
    )


def _end(said: Verdict, policy: RetryPolicy) -> Verdict:
    words = f"given up after {_span(policy.lifetime)}, at last: {said.reply}"
    return Verdict(Outcome.FAILED, words)


def _span(seconds: float) -> str:
    """For people, who get it in a notification."""
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} seconds"


def _wait(attempt: Attempt, policy: RetryPolicy, chance: float) -> float:
    deferred = attempt.with_outcome(Outcome.DEFERRED)
    attempts = [each.recipient.attempts + 1 for each in deferred]
    # For these the last attempt is counted already.
    attempts += [each.recipient.attempts for each in attempt.before]
    return policy.wait(max(attempts, default=1), attempt.claim.lane, chance)
