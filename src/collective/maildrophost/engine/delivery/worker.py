"""What one connection does: take a claim, deliver it, hand in the verdicts."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from ..config import RelayAddress
from ..queue import Claim, Settlement
from ..smtp import Connection, RelayFault, Result
from ..unquoted import unquoted
from ..verdict import Outcome, Verdict
from .blame import Blame
from .failover import Full
from .finished import Finished, nothing
from .judge import bare_settlement, settlement
from .ledger import Ledger
from .notifications import NotificationPolicy
from .pool import Pool
from .results import refused_with_a_fault, shown_to_work, taken, untried, worst
from .retry import RetryPolicy

log = logging.getLogger("maildrop.delivery")

BROKEN_OFF = "broken off: another daemon may have it by now"

CONTENT_LOST = "the queue has lost its content"


class _CalledOff(Exception):
    """The message must not be offered now, and has no connection yet."""


class _LeftClaimed(Exception):
    """The relay may have the message, but there was no time for its answer."""


class Worker:
    """Delivers one message at a time until the ledger says stop."""

    def __init__(
        self,
        ledger: Ledger,
        pool: Pool,
        policy: RetryPolicy,
        notify: NotificationPolicy,
        debug_receiver: Sequence[str],
        blame: Blame,
        relay_works: Callable[[RelayAddress], None],
        relay_failed: Callable[[RelayFault], None],
    ) -> None:
        self._ledger = ledger
        self._pool = pool
        self._policy = policy
        self._notify = notify
        self._debug_receiver = tuple(debug_receiver)
        self._blame = blame
        self._relay_works = relay_works
        self._relay_failed = relay_failed
        self._task: asyncio.Task[object] | None = None
        self._offering = self._broken_off = self._ended = False
        self._connecting = self._stopped = self._cut_short = False
        self._speaking: Connection | None = None

    async def run(self) -> None:
        """Until the ledger says stop."""
        self._task = asyncio.current_task()
        finished: Finished | None = None
        while (claim := await self._ledger.turn(finished)) is not None:
            try:
                finished = await self._dealt_with(claim)
            except _LeftClaimed:
                self._ledger.leave(claim)
                return
            # Nobody reads its content any more; the next turn may be long in coming.
            finished, claim = finished.lighter, None

    def stop(self) -> None:
        """Wait for no connection any more; a message that has one goes on."""
        self._stopped = True
        if self._task is not None and self._connecting:
            self._task.cancel()

    def cut_short(self) -> None:
        """Be stopped for good: what the relay cannot have taken is given back."""
        self._cut_short = True
        if self._speaking is not None:
            self._speaking.cut_short()

    def break_off(self) -> None:
        """Send no more of a message, and wait for no connection to send it."""
        if self._task is not None and self._offering:
            self._broken_off = True
            self._task.cancel()

    def end(self) -> None:
        """Go no further, whatever else was asked of it."""
        self._ended = True
        if self._task is not None:
            self._task.cancel()

    async def _dealt_with(self, claim: Claim) -> Finished:
        if self._ledger.in_doubt:
            # It was handed out at the very moment at which the lease was lost.
            return Finished(claim, None)
        if not claim.recipients:
            return without_recipients(claim)
        if claim.is_lost:
            return self._without_content(claim.without_content())
        return await self._attempt(claim)

    def _without_content(self, claim: Claim) -> Finished:
        verdicts = (Verdict(Outcome.FAILED, CONTENT_LOST),) * len(claim.recipients)
        return Finished(claim, self._settlement(claim, "-", Result(verdicts)))

    async def _attempt(self, claim: Claim) -> Finished:
        """Never raises, except if cancelled: one message can't stop the others."""
        mark = self._blame.offered()
        try:
            connection, result = await self._offer_safely(claim)
        except RelayFault as fault:
            self._relay_failed(fault)
            return Finished(claim, None)
        except (Full, _CalledOff):
            return Finished(claim, None)
        # Only once the verdict is on disk: the next message must not overtake it.
        over = nothing if connection is None else partial(self._pool.give, connection)
        if self._cut_short and result.possible_duplicate:
            over()
            raise _LeftClaimed
        if self._cut_short and self._is_untried(result):
            return Finished(claim, None, over)
        result = self._blamed(claim, result, mark)
        if result.fault is not None:
            self._relay_failed(result.fault)
            if not any(result.verdicts):
                return Finished(claim, None, over, refused_with_a_fault(result))
        elif connection is not None and shown_to_work(result):
            self._relay_works(connection.relay)
        relay = "-" if connection is None else str(connection.relay)
        to_settle = self._settlement(claim, relay, result)
        if not any(each.outcome is Outcome.DEFERRED for _, each in to_settle.verdicts):
            self._blame.ended(claim.id)
        return Finished(claim, to_settle, over)

    async def _offer_safely(self, claim: Claim) -> tuple[Connection | None, Result]:
        """A result, unless there is no connection: RelayFault, Full or _CalledOff."""
        self._offering, self._broken_off = True, False
        try:
            return await self._offer(claim)
        except asyncio.CancelledError:
            # `end` and `break_off` at the same moment arrive as one cancellation: then
            # `end` counts.
            if self._ended or not self._broken_off:
                raise
            self._uncancel()
            words = BROKEN_OFF
        except (RelayFault, Full, _CalledOff):
            raise
        except Exception as error:
            # The type alone: the text of an unknown error may quote the message.
            log.error(
                "id=%d: unexpected error, the message is deferred",
                claim.id,
                exc_info=unquoted(error),
            )
            words = f"internal error ({type(error).__name__}), see the daemon's log"
        finally:
            self._offering = False
        # Nobody can know any more whether the relay has taken it.
        verdicts = self._deferred(claim, words)
        return None, Result(verdicts, possible_duplicate=True, usable=False)

    def _blamed(self, claim: Claim, result: Result, mark: int) -> Result:
        """`result`, without its fault if the relay takes all mail but this message."""
        if result.fault is not None and refused_with_a_fault(result):
            if self._blame.is_message(claim.id):
                return Result(self._deferred(claim, result.fault.reason), usable=False)
            self._blame.refused(claim.id)
        elif taken(result):
            self._blame.taken(claim.id, mark)
        return result

    def _uncancel(self) -> None:
        # Since Python 3.11 a task counts its cancellations.
        uncancel = getattr(self._task, "uncancel", None)
        if uncancel is not None:
            uncancel()

    async def _offer(self, claim: Claim) -> tuple[Connection, Result]:
        recipients = self._debug_receiver or tuple(
            each.address for each in claim.recipients
        )
        connection = await self._connected(self._pool.take)
        reused = connection.served > 0
        result = await self._deliver(connection, claim, recipients)
        if reused and not result.usable and untried(result):
            # The relay closed the waiting connection: no fault, connect once more.
            self._pool.give(connection)
            connection = await self._connected(self._pool.fresh)
            result = await self._deliver(connection, claim, recipients)
        return connection, result

    async def _connected(
        self, connect: Callable[[], Awaitable[Connection]]
    ) -> Connection:
        if self._stopped:
            raise _CalledOff
        self._connecting = True
        try:
            return await connect()
        except asyncio.CancelledError:
            if self._ended or not (self._stopped or self._broken_off):
                raise
            self._uncancel()
            raise _CalledOff from None
        finally:
            self._connecting = False

    async def _deliver(
        self, connection: Connection, claim: Claim, recipients: Sequence[str]
    ) -> Result:
        self._speaking = connection
        try:
            return await connection.deliver(claim.sender, recipients, claim.content)
        except BaseException:
            # There will be no verdict that the connection would have to wait for.
            self._pool.give(connection)
            raise
        finally:
            self._speaking = None

    def _is_untried(self, result: Result) -> bool:
        if result.fault is not None or taken(result):
            return False
        # The refusal of one of the DEBUG_RECEIVERs is none of the others.
        return untried(result) or bool(self._debug_receiver and None in result.verdicts)

    def _settlement(self, claim: Claim, relay: str, result: Result) -> Settlement:
        verdicts = result.verdicts
        if self._debug_receiver:
            verdicts = (worst(verdicts),) * len(claim.recipients)
        if not any(verdicts) and result.fault is None:
            verdicts = self._deferred(claim, "the relay gave no verdict")
        judge = partial(
            settlement,
            claim,
            relay,
            verdicts,
            result.possible_duplicate,
            self._policy,
            now=time.time(),
            chance=random.random(),  # noqa: S311  jitter, no secret
        )
        try:
            return judge(self._notify)
        except Exception as error:
            # The verdicts stand, whatever becomes of the notification about them.
            log.error(
                "id=%d: no notification could be written about it",
                claim.id,
                exc_info=unquoted(error),
            )
            return judge(self._notify.silent())

    @staticmethod
    def _deferred(claim: Claim, words: str) -> tuple[Verdict, ...]:
        return (Verdict(Outcome.DEFERRED, words),) * len(claim.recipients)


def without_recipients(claim: Claim) -> Finished:
    """The end of a message that has nobody left to be sent to.

    Either its rows in the queue are damaged, or a daemon that had lost its claim wrote
    the last acceptances late: the queue finds out which when this is settled.
    """
    return Finished(claim, bare_settlement(claim, "-", (), False, time.time()))
