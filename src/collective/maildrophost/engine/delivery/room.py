"""How much of the memory large messages may take: pure decisions."""

# Without a limit, the system would kill the daemon over a few large messages at once,
# and would do so again each time it comes back: no mail would go at all.
#
# Rules of this file:
# - Each lane has room of its own: a bulk backlog holds up no large message of another.
# - One message always goes, however large it is.
# - Large ones are read one at a time: on its way each is in memory several times.
# - Large ones stay in order, else one of 50 MB would wait for those of 5 MB for ever.
#   Small ones pass them.

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

LANE_OCTETS = 64 * 2**20
"""What all large messages that one lane has in flight may have together."""


def with_room(
    waiting: Iterable[int], large: Mapping[int, int], in_flight: int
) -> Iterator[int]:
    """Which of a lane's `waiting` messages may start, if those before them do.

    `large` has the octets of each large one, `in_flight` is how many octets of such
    messages the lane has in flight now.
    """
    full = False
    for each in waiting:
        octets = large.get(each, 0)
        full = full or bool(octets and in_flight and in_flight + octets > LANE_OCTETS)
        if not octets:
            yield each
        elif not full:
            in_flight += octets
            yield each


def with_one_large(chosen: Sequence[int], large: Container[int]) -> list[int]:
    """The `chosen` messages without all large ones but the first."""
    large_ones = [each for each in chosen if each in large]
    return [each for each in chosen if each not in large_ones[1:]]
