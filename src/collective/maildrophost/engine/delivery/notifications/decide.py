"""Which notifications an attempt brings: pure decisions."""

# Rules of this file:
# - Automatic mail must not set off more of it (RFC 3834 section 2): the null sender and
#   mail with an Auto-Submitted header are never answered.
# - One notification covers all recipients that an attempt failed for.
# - The sender is warned of a delay once for each message; never for bulk mail, where a
#   relay's bad morning would write as many warnings as a newsletter has readers.
# - Failed mail of the null sender is reported to the postmaster, unless it failed only
#   for the postmaster. Other automatic mail is reported to nobody.

from __future__ import annotations

from collections.abc import Iterable

from ...message import Lane, Message
from ...message.addresses import unique
from ...verdict import Outcome
from ..attempt import Attempt, Judged
from .kinds import DELAY, FAILURE, UNDELIVERABLE
from .original import is_automatic
from .policy import NotificationPolicy
from .report import report


def failure_notification(
    attempt: Attempt, policy: NotificationPolicy
) -> Message | None:
    """Tells of all recipients that have failed; None: nobody is to be told."""
    failed = attempt.with_outcome(Outcome.FAILED)
    if not failed:
        return None
    if not attempt.claim.sender:
        if not policy.postmaster or _all_are(policy.postmaster, failed):
            return None
        return report(attempt, failed, UNDELIVERABLE, policy.postmaster, policy.host)
    if not policy.bounce or is_automatic(attempt.claim.content):
        return None
    return report(attempt, failed, FAILURE, attempt.claim.sender, policy.host)


def delay_warning(attempt: Attempt, policy: NotificationPolicy) -> Message | None:
    """Tells of the recipients that still wait; None: it is not the time for it."""
    claim = attempt.claim
    waiting = attempt.waiting
    if not waiting or claim.warned or not _is_late(attempt, policy):
        return None
    if not claim.sender or claim.lane is Lane.BULK or is_automatic(claim.content):
        return None
    return report(attempt, waiting, DELAY, claim.sender, policy.host)


def _is_late(attempt: Attempt, policy: NotificationPolicy) -> bool:
    return 0 < policy.warn_after <= attempt.age


def _all_are(postmaster: str, failed: Iterable[Judged]) -> bool:
    addresses = [each.recipient.address for each in failed]
    return len(unique([postmaster, *addresses])) == 1
