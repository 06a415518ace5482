"""The notification that mail could not be delivered."""

from __future__ import annotations

from collections.abc import Sequence

from ...message import Lane, Message
from ..attempt import Attempt, Judged
from .policy import NotificationPolicy
from .report import report

WORDS = """\
This is the mail system of {host}.

Your mail could not be delivered to the recipients below. It will not be
tried again for them.

What you can do: look for a mistake in the address, and send the mail again.
If the address is right, show this report to the people who run your site:
the reply below each address says why the mail was refused.
"""


def notification(
    attempt: Attempt, failed: Sequence[Judged], policy: NotificationPolicy
) -> Message:
    """To the envelope sender, about all who failed in this attempt."""
    return report(
        attempt,
        failed,
        kind="failure",
        to=attempt.claim.sender,
        title="Your mail could not be delivered",
        words=WORDS.format(host=policy.host),
        lane=Lane.NORMAL,
        host=policy.host,
    )
