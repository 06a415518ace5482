"""The lanes of the queue, with the rule that picks one."""

from __future__ import annotations

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
    lane: Lane | None,
    header: str | None,
    *,
    immediate: bool,
    precedence: bytes,
    is_list_mail: bool,
) -> Lane:
    """The argument, else the X-Maildrop-Lane `header`, else what the mail looks like.

    `precedence` is the value of the Precedence header; `is_list_mail`: there is a
    List-Id or List-Unsubscribe header. InvalidMessage when `header` names no lane.
    """
    if lane is not None:
        return lane
    if header is not None:
        return Lane.parse(header)
    if immediate:
        return Lane.INTERACTIVE
    if is_list_mail or precedence.lower() in BULK_PRECEDENCES:
        return Lane.BULK
    return Lane.NORMAL
