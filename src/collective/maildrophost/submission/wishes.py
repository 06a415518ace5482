"""What a caller of `send` wishes for a mail, in the queue's terms."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from Products.MailHost.MailHost import MailHostError

from collective.maildrophost.engine.message import InvalidMessage, Lane


def lane_of(lane: Any) -> Lane | None:
    """The lane of that name; MailHostError when there is none."""
    if lane is None or isinstance(lane, Lane):
        return lane
    try:
        return Lane.parse(lane if isinstance(lane, str) else repr(lane))
    except InvalidMessage as error:
        raise MailHostError(str(error)) from error


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


@dataclass(frozen=True)
class Wishes:
    """What the caller of `send` has asked for; None: nothing."""

    lane: Any = None
    deliver_at: Any = None
    immediate: bool | None = None


_NONE = Wishes()
_kept: ContextVar[Wishes] = ContextVar("kept", default=_NONE)


@contextmanager
def kept(**wishes: Any) -> Iterator[None]:
    """Keep these wishes, along with those kept already, for what this block sends."""
    token = _kept.set(replace(_kept.get(), **wishes))
    try:
        yield
    finally:
        _kept.reset(token)


def kept_now() -> Wishes:
    """The wishes kept for the mail that is being sent."""
    return _kept.get()
