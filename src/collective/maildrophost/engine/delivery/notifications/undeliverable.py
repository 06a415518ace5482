"""The letter to the postmaster about failed mail that has no sender to be told."""

from __future__ import annotations

from collections.abc import Sequence

from ...message import Lane, Message
from ..attempt import Attempt, Judged
from .policy import NotificationPolicy
from .report import report

WORDS = """\
This is the mail system of {host}.

Mail without a sender, in most cases a notification, could not be delivered
to the recipients below. Nobody else is told. The mail stays in the queue as
failed.

What you can do: 'maildropctl show {id}' shows it. Then 'maildropctl retry {id}'
sends it once more, 'maildropctl delete {id}' removes it.
"""


def notification(
    attempt: Attempt, failed: Sequence[Judged], policy: NotificationPolicy
) -> Message:
    """To MAILDROP_POSTMASTER, about all who failed in this attempt."""
    return report(
        attempt,
        failed,
        kind="undeliverable",
        to=policy.postmaster,
        title="Mail without a sender could not be delivered",
        words=WORDS.format(host=policy.host, id=attempt.claim.id),
        lane=Lane.INTERACTIVE,
        host=policy.host,
    )
