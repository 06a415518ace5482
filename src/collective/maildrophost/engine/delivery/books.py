"""One transaction of the ledger: what has ended goes in, new claims come out."""

# Rules of this file:
# - A request travels between processes: it is plain data, without any content of mail.

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

from ..message import Lane
from ..queue import (
    AS_SAID,
    Claim,
    Due,
    MessageKey,
    Queue,
    QueueError,
    Refused,
    Settled,
    Settlement,
    Transaction,
    claim,
    due,
    give_back,
    give_back_last,
    give_back_unheard,
    next_due,
    settle,
)
from ..unquoted import unquoted
from ..wording import verbatim
from .inflight import InFlight
from .lanes import choose, turns, turns_of_a_probe
from .room import with_one_large, with_room
from .terms import Objection, Terms, on_terms

log = logging.getLogger("maildrop.delivery")

Note: TypeAlias = Callable[[Transaction], object]
"""Something else to write: picklable, so no closure."""


@dataclass(frozen=True)
class Request:
    """What to write at `now` for the daemon `owner`, and how many to claim then.

    `known` are all claims that the daemon has, so that others under its name go back;
    None: it is not the time to look for those. `untried` are claims that go back to
    their place, `suspects` those that go behind all others. At most `wanted` messages
    that are due before `due_before` are claimed, by the rules of `lanes` and `room` for
    what is `in_flight`, unless other daemons object to the `terms`. `failures`: how
    often the relay has failed in a row, 0 when it is good.
    """

    owner: str
    known: tuple[MessageKey, ...] | None
    settlements: list[Settlement]
    untried: list[MessageKey]
    suspects: list[MessageKey]
    notes: tuple[Note, ...]
    now: float
    wanted: int
    due_before: float
    round: int
    failures: int
    concurrency: int
    in_flight: InFlight
    terms: Terms

    @property
    def writes(self) -> bool:
        """Whether it has more to write than its claims."""
        return bool(self.settlements or self.untried or self.suspects or self.notes)


@dataclass(frozen=True)
class Answer:
    """The claims, or what other daemons have against any.

    `next_due`: when the next message is due, if there were fewer claims than wanted.
    `broke`: nothing was claimed, as claiming broke the transaction. `settled`: what
    came of the settlements.
    """

    claims: list[Claim]
    next_due: float | None = None
    objection: Objection | None = None
    broke: bool = False
    settled: Settled = AS_SAID


Write: TypeAlias = Callable[[Request], Awaitable[Answer]]
"""Has a request written in one transaction; raises QueueError if it could not be, or if
it is unknown whether it was."""


def write(
    queue: Queue, request: Request, orphaned: Callable[[], bool] = lambda: False
) -> Answer:
    """Do it in one transaction; raises QueueError when nothing of it was done.

    With Unheard it may have been: then the same verdicts may be handed in again.

    `orphaned`: whether the daemon is gone, or waits no longer. On SQLite it is asked
    under the lock that whoever takes its mail over has to get, so that nothing is
    claimed after that. On a server something may be; it then belongs to nobody, see
    `recover_ownerless`.
    """
    settled = AS_SAID
    with queue.write() as tx:
        if request.known is not None:
            give_back_unheard(tx, request.owner, request.known)
        if request.settlements:
            settled = settle(tx, request.settlements, request.now)
        if request.untried:
            give_back(tx, request.owner, request.untried)
        if request.suspects:
            give_back_last(tx, request.owner, request.suspects, request.now)
        for note in request.notes:
            note(tx)
        answer = _claim(tx, request, 0 if orphaned() else request.wanted)
        return replace(answer, settled=settled)


def write_or_refuse(
    queue: Queue, request: Request, orphaned: Callable[[], bool] = lambda: False
) -> Answer:
    """As `write`; what would break it every time is Refused, so that it can be found.

    If claiming breaks it, no verdict is lost: what there is to write is written without
    a claim. The next request that has nothing else to write raises the error.
    """
    try:
        return write(queue, request, orphaned)
    except Exception as error:
        if not request.writes or not _for_good(error):
            raise
        if not isinstance(error, Refused):
            log.error("unexpected error in the queue", exc_info=unquoted(error))
        if not request.wanted:
            raise _refusal(queue, error) from None
    answer = write_or_refuse(queue, replace(request, wanted=0), orphaned)
    return replace(answer, broke=True)


def _for_good(error: Exception) -> bool:
    """Whether it is no use to try again."""
    return isinstance(error, Refused) or not isinstance(error, QueueError)


def _refusal(queue: Queue, error: Exception) -> Refused:
    if isinstance(error, Refused):
        return error
    # The type alone: the text of an unknown error may quote the message.
    words = f"unexpected {type(error).__name__} while writing"
    return Refused(queue.name, verbatim(words))


def _claim(tx: Transaction, request: Request, wanted: int) -> Answer:
    """Claim `wanted` at most, for each lane within its connections and its memory."""
    if not wanted:
        return Answer([])
    waiting, failures = due(tx, wanted, request.due_before), request.failures
    chosen = choose(
        _with_room(waiting, request.in_flight),
        wanted,
        turns_of_a_probe(failures) if failures else turns(request.round),
        request.concurrency,
        request.in_flight.messages,
    )
    chosen = with_one_large(chosen, waiting.large)
    if not chosen:
        return Answer([], next_due(tx))
    claim_chosen = partial(claim, tx, request.owner, chosen, request.due_before)
    claims = on_terms(tx, request.terms, request.now, claim_chosen)
    if isinstance(claims, Objection):
        return Answer([], objection=claims)
    return Answer(claims, next_due(tx) if len(claims) < wanted else None)


def _with_room(waiting: Due, in_flight: InFlight) -> Mapping[Lane, Sequence[int]]:
    if not waiting.large:
        return waiting.lanes
    return {
        lane: list(with_room(ids, waiting.large, in_flight.octets[lane]))
        for lane, ids in waiting.lanes.items()
    }
