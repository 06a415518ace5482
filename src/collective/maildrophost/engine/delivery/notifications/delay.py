"""The warning that mail is delayed."""

from __future__ import annotations

from collections.abc import Sequence

from ...message import Lane, Message
from ..attempt import Attempt, Judged
from .fields import field_date
from .policy import NotificationPolicy
from .report import report

WORDS = """\
This is the mail system of {host}.

THIS IS A WARNING ONLY. YOU NEED NOT SEND YOUR MAIL AGAIN.

Your mail has not reached the recipients below yet. It is tried again and
again until {given_up}. You get no further
warning; if it has to be given up, you are told.

What you can do: nothing for now. The reply below each address says why it
has to wait.
"""


def notification(
    attempt: Attempt, waiting: Sequence[Judged], policy: NotificationPolicy
) -> Message:
    """To the envelope sender, about all who were deferred in this attempt."""
    return report(
        attempt,
        waiting,
        kind="delay",
        to=attempt.claim.sender,
        title="Your mail is delayed",
        words=WORDS.format(host=policy.host, given_up=field_date(attempt.given_up)),
        lane=Lane.NORMAL,
        host=policy.host,
    )
