"""The letters to the postmaster about a relay: that its fault lasts, that it works."""

from __future__ import annotations

from ...message import Lane, Message
from ...queue import RelayPause
from .fields import field_date
from .letter import letter, text_part
from .policy import NotificationPolicy

LASTS = """\
This is the mail system of {host}.

The relay {name} has taken no mail since
{since}.

    {fault}

No mail is lost: all of it waits in the queue, and the relay is tried again
and again. You will get another letter when it works.

What you can do: 'maildropctl check' tries the way to the relay step by step,
'maildropctl status' shows whether the fault is still there.
"""

OVER = """\
This is the mail system of {host}.

The relay {name} takes mail again. It was at fault

    from  {since}
    until {until}

    {fault}

No mail was lost: what waited is being sent now. There is nothing to do.
"""


def relay_fault_lasts(
    paused: RelayPause, policy: NotificationPolicy, owner: str, now: float
) -> Message:
    """The first letter, when a fault has lasted; `owner` is the daemon that writes."""
    title = "The mail relay is at fault"
    return _letter("fault", title, LASTS, paused, policy, owner, now)


def relay_works_again(
    ended: RelayPause, policy: NotificationPolicy, owner: str, now: float
) -> Message:
    """The second letter, for whoever got the first."""
    title = "The mail relay works again"
    return _letter("works", title, OVER, ended, policy, owner, now)


def _letter(
    kind: str,
    title: str,
    words: str,
    pause: RelayPause,
    policy: NotificationPolicy,
    owner: str,
    now: float,
) -> Message:
    text = words.format(
        host=policy.host,
        name=pause.name,
        since=field_date(pause.since),
        until=field_date(now),
        fault=pause.fault,
    )
    return letter(
        text_part("text/plain; charset=utf-8", text.encode("utf-8", "replace")),
        Lane.INTERACTIVE,
        to=policy.postmaster,
        subject=title,
        auto_submitted="auto-generated",
        message_id=f"<{kind}.{int(now * 1000)}.{owner}@{policy.host}>",
        host=policy.host,
        now=now,
    )
