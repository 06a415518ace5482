"""How the connections are shared between the lanes: a pure decision."""

from __future__ import annotations

from collections.abc import Mapping

from ..message import Lane
from ..queue import Allowance

ROUNDS_UNTIL_BULK_GOES_FIRST = 8


def allowances(
    concurrency: int, in_flight: Mapping[Lane, int], round_number: int
) -> tuple[Allowance, ...]:
    """How many messages of each lane may be claimed, in the order of their turn.

    Interactive mail goes first and finds a connection free that the other lanes may
    never take, however slow the relay is with theirs. Every few rounds the order is
    reversed, so that no lane starves.
    """
    reserved = 1 if concurrency > 1 else 0
    busy = sum(in_flight.get(lane, 0) for lane in (Lane.NORMAL, Lane.BULK))
    shared = max(0, concurrency - reserved - busy)
    # Bulk leaves a connection to normal mail, too, where there are enough.
    most_bulk = concurrency - reserved - (1 if concurrency > 2 else 0)
    bulk = max(0, min(shared, most_bulk - in_flight.get(Lane.BULK, 0)))
    forwards = (
        (Lane.INTERACTIVE, concurrency),
        (Lane.NORMAL, shared),
        (Lane.BULK, bulk),
    )
    if round_number % ROUNDS_UNTIL_BULK_GOES_FIRST:
        return forwards
    # The turn of the others: one message each, then as always.
    return (
        (Lane.BULK, min(1, bulk)),
        (Lane.NORMAL, min(1, max(0, shared - 1))),
        (Lane.INTERACTIVE, concurrency),
    )
