"""The lanes of the queue, with the rule that picks one."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

from .errors import InvalidMessage

BULK_PRECEDENCES = (b"bulk", b"list")


class Lane(IntEnum):
    """Lower goes first; a backlog in one never delays those before it."""

    INTERACTIVE = 0
    NORMAL = 1
    BULK = 2

    @property
    def label(self) -> str:
        """The name that people read and write."""
        return self.name.lower()

    @classmethod
    def parse(cls, text: str) -> Lane:
        """The lane with that label; InvalidMessage lists the lanes there are."""
        try:
            return cls[text.strip().upper()]
        except KeyError:
            labels = ", ".join(lane.label for lane in cls)
            raise InvalidMessage(
                f"{text[:40]!r} is no lane; the lanes are {labels}"
            ) from None


LANES_BY_LABEL = {lane.label: lane for lane in Lane}


def choose_lane(
    lane: Lane | None, headers: Mapping[bytes, bytes], immediate: bool
) -> Lane:
    """The argument, else the X-Maildrop-Lane header, else what the mail looks like.

    `headers` are known by their lower-case names. InvalidMessage when X-Maildrop-Lane
    names no lane.
    """
    if lane is not None:
        return lane
    if b"x-maildrop-lane" in headers:
        return Lane.parse(headers[b"x-maildrop-lane"].decode("latin-1"))
    if immediate:
        return Lane.INTERACTIVE
    is_list_mail = b"list-id" in headers or b"list-unsubscribe" in headers
    if is_list_mail or headers.get(b"precedence", b"").lower() in BULK_PRECEDENCES:
        return Lane.BULK
    return Lane.NORMAL
