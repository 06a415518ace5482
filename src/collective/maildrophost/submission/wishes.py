"""What a caller of `send` wishes for a mail, in the queue's terms."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from Products.MailHost.MailHost import MailHostError

from collective.maildrophost.engine.message import Lane


def lane_of(lane: Any) -> Lane | None:
    """The lane of that name; InvalidMessage when there is none."""
    if lane is None or isinstance(lane, Lane):
        return lane
    return Lane.parse(lane if isinstance(lane, str) else repr(lane))


def seconds_of(moment: Any) -> float | None:
    """Seconds since the epoch of an aware datetime or a Zope DateTime.

    Raises MailHostError for all else.
    """
    if moment is None:
        return None
    if hasattr(moment, "timeTime"):
        return float(moment.timeTime())
    if isinstance(moment, datetime) and moment.utcoffset() is not None:
        return moment.timestamp()
    raise MailHostError(
        f"deliver_at is {moment!r}: a datetime with a time zone is needed"
    )
