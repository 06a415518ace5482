"""How the connections are shared between the lanes: pure decisions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from ..message import Lane

ROUNDS_UNTIL_OTHERS_GO_FIRST = 8

Turn = tuple[Lane, int | None]
"""A lane, and how many messages it gets in this turn; None: all of its share."""

_AS_ALWAYS: tuple[Turn, ...] = tuple((lane, None) for lane in Lane)
_BULK_FIRST: tuple[Turn, ...] = ((Lane.BULK, 1), (Lane.NORMAL, 1), *_AS_ALWAYS)
_NORMAL_FIRST: tuple[Turn, ...] = ((Lane.NORMAL, 1), (Lane.BULK, 1), *_AS_ALWAYS)


def turns(round_number: int) -> tuple[Turn, ...]:
    """In which order the lanes are asked for messages.

    Interactive mail goes first; every few rounds the others have one message each
    before it, so that no lane starves even on a single connection.
    """
    rounds, rest = divmod(round_number, ROUNDS_UNTIL_OTHERS_GO_FIRST)
    if rest:
        return _AS_ALWAYS
    return _BULK_FIRST if rounds % 2 else _NORMAL_FIRST


def turns_of_a_probe(failures: int) -> tuple[Turn, ...]:
    """In which order the lanes are asked for the message that probes a faulty relay.

    Each comes first in its turn, by how often the relay has failed in a row: should one
    message be the reason, it must not be the one that makes every probe.
    """
    lanes = tuple(Lane)
    first = failures % len(lanes)
    return tuple((lane, None) for lane in lanes[first:] + lanes[:first])


def share(lane: Lane, concurrency: int, in_flight: Mapping[Lane, int]) -> int:
    """How many more messages of the lane may be in flight.

    Interactive mail finds a connection free that the other lanes may never take,
    however slow the relay is with theirs. With nothing in flight each lane has a share.
    """
    if lane is Lane.INTERACTIVE:
        return concurrency
    reserved = 1 if concurrency > 1 else 0
    busy = sum(in_flight.get(each, 0) for each in (Lane.NORMAL, Lane.BULK))
    shared = max(0, concurrency - reserved - busy)
    if lane is Lane.NORMAL:
        return shared
    # Bulk leaves a connection to normal mail, too, where there are enough.
    most = concurrency - reserved - (1 if concurrency > 2 else 0)
    return max(0, min(shared, most - in_flight.get(Lane.BULK, 0)))


def choose(
    waiting: Mapping[Lane, Sequence[int]],
    wanted: int,
    order: Iterable[Turn],
    concurrency: int,
    in_flight: Mapping[Lane, int],
) -> list[int]:
    """Which of the waiting messages to claim: at most `wanted` of them.

    `waiting` has the ids of each lane, oldest due first; `order` says whose turn it is.
    """
    left = {lane: list(ids) for lane, ids in waiting.items()}
    busy = Counter(in_flight)
    chosen: list[int] = []
    for lane, most in order:
        free = min(share(lane, concurrency, busy), wanted - len(chosen))
        taken = left[lane][: free if most is None else min(most, free)]
        del left[lane][: len(taken)]
        busy[lane] += len(taken)
        chosen += taken
    return chosen
