"""Notifications about a relay, to the postmaster: its fault lasts, it works again."""

from __future__ import annotations

from ...message import Lane, Message
from ...queue import RelayPause
from .fields import field_date
from .notification import notification, text_part
from .policy import NotificationPolicy

LASTS = """\
This is the mail system of {host}.

The relay {name} has taken no mail since
{since}.

    {fault}

No mail is lost: all of it waits in the queue, and the relay is tried again
and again. You will get another notification when it works.

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
    """The first one, when a fault has lasted; `owner` is the daemon that writes."""
    title = "The mail relay is at fault"
    return _about("fault", title, LASTS, paused, policy, owner, now)


def relay_works_again(
    ended: RelayPause, policy: NotificationPolicy, owner: str, now: float
) -> Message:
    """The second one, for whoever got the first."""
    title = "The mail relay works again"
    return _about("works", title, OVER, ended, policy, owner, now)


def _about(
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
    return notification(
        text_part("text/plain; charset=utf-8", text.encode("utf-8", "replace")),
        Lane.INTERACTIVE,
        to=policy.postmaster,
        subject=title,
        auto_submitted="auto-generated",
        message_id=f"<{kind}.{int(now * 1000)}.{owner}@{policy.host}>",
        host=policy.host,
        now=now,
    )
