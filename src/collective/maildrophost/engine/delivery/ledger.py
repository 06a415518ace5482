"""The ledger: verdicts in, claims out, one commit for all connections that wait.

The rule that makes delivery safe: a connection gets its next message only when its
last verdict is on disk. Handing in a verdict with `turn` is therefore the same call as
asking for the next message, and both happen in the same transaction.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Callable, Sequence

from ..queue import Claim, QueueError, Refused, Unheard
from ..system.patience import within
from .books import Answer, Note, Request, Write
from .finished import Finished
from .handedout import HandedOut
from .inflight import InFlight
from .nextlook import NextLook
from .outage import Outage
from .permits import Permits
from .unsettled import Portion, Unsettled

RETRY_SECONDS = 1.0
"""Between two tries to write verdicts when the queue can't be written."""


class Ledger:
    """Serves the connections of one daemon from one queue."""

    def __init__(
        self,
        write: Write,
        owner: str,
        concurrency: int,
        permits: Permits,
        interval: float,
        settled: Callable[[Sequence[Finished]], object],
        once: bool = False,
    ) -> None:
        self._write = write
        self._owner = owner
        self._concurrency = concurrency
        self._permits = permits
        self._interval = interval
        self._settled = settled
        self._once = once
        self._horizon = math.inf
        self._waiting: list[asyncio.Future[Claim | None]] = []
        self._unsettled = Unsettled()
        self._outage = Outage()
        self._in_flight = InFlight()
        self._handed_out = HandedOut()
        self.in_doubt = False
        """Whether another daemon may have what this one has."""
        self._noted = self._written = 0
        self._round = 0
        self._next_look = NextLook(interval)
        self._called = asyncio.Event()
        self._stopping = self._ended = False
        self.gave_up = False
        """Whether a fault of the relay ended a run with `once`."""

    async def turn(self, finished: Finished | None) -> Claim | None:
        """Hand in what has finished, wait for the next message; None: stop."""
        if finished is not None:
            self._unsettled.add(finished)
            # It frees its lane's share, and may be due again itself.
            self._next_look.at_once()
        if self._ended:
            # Told to stop before any connection came: while files were taken in, say.
            return None
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Claim | None] = loop.create_future()
        self._waiting.append(future)
        self._called.set()
        return await future

    def leave(self, claim: Claim) -> None:
        """Wait for its end no more: it stays claimed, for whoever takes over."""
        self._in_flight = self._in_flight.without([claim])
        self._called.set()

    def note(self, note: Note) -> None:
        """Have something written with the next transaction."""
        self._unsettled.note(note)
        self._noted += 1
        self._called.set()

    def wake(self) -> None:
        """There may be new mail: look at once."""
        self._next_look.at_once()
        self._called.set()

    def doubt(self) -> None:
        """Another daemon may take over what this one has: claim nothing more."""
        self.in_doubt = True

    def trust(self) -> None:
        """Nobody has taken over."""
        self.in_doubt = False
        self.wake()

    def stop(self) -> None:
        """Claim nothing more; connections are told to end when they come back."""
        self._stopping = True
        self._called.set()

    @property
    def notes_wait(self) -> bool:
        """Whether something that `note` was told is not written yet."""
        return self._noted > self._written

    @property
    def cannot_write(self) -> bool:
        """Whether the last try to write to the queue has failed."""
        return self._outage.lasts

    @property
    def in_flight(self) -> int:
        """Messages that connections have and that are not settled yet."""
        return self._in_flight.messages.total()

    async def run(self) -> None:
        """Serve until stopped with all in flight settled.

        With `once`: until nothing is left of what is due now, or the relay is found at
        fault; a fault that an earlier run found is put to the test.
        """
        if self._once:
            self._horizon = time.time()
        while self.in_flight or not self._stopping:
            await self._until_called()
            health = self._permits.health
            if self._once and health.met and not health.good:
                self._stopping = self.gave_up = True
            if self._has_work(time.time()):
                await self._transact()
        self._dismiss()

    async def _until_called(self) -> None:
        # One moment for both: a pause that ended between two would be slept through.
        now = time.time()
        if not self._has_work(now):
            with contextlib.suppress(TimeoutError):
                await within(self._called.wait(), self._seconds_to_wait(now))
        self._called.clear()

    def _has_work(self, now: float) -> bool:
        return bool(self._unsettled or self._wanted(now, self.in_flight))

    def _seconds_to_wait(self, now: float) -> float:
        # With no connection free, or with a probe under way, only a call can help.
        permit = self._permits.wait_seconds(now, self.in_flight)
        coming = [each for each in (self._next_look.seconds(now), permit) if each > 0]
        return min(self._interval, max(coming, default=self._interval))

    def _wanted(self, now: float, in_flight: int) -> int:
        """How many messages to claim now, beside so many in flight."""
        if self._stopping or self.in_doubt or self._next_look.is_early(now):
            return 0
        permitted = self._permits.count(now, in_flight)
        # What is on disk and is handed in again gives back what was claimed since then.
        free = 0 if self._unsettled else len(self._waiting)
        return free if permitted is None else min(permitted, free)

    async def _transact(self) -> None:
        news = self._next_look.news
        portion = self._unsettled.take()
        request = self._request(portion, time.time())
        try:
            answer = await self._write(request)
        except QueueError as error:
            if portion and isinstance(error, Refused):
                self._refused(portion, error)
            else:
                await self._cannot_write(portion, error, request)
            return
        self._on_disk(portion, request)
        if self.in_doubt:
            # The answer came so late that the claims may be another's by now.
            self._keep_back_claims(request)
        else:
            self._hand_out(answer, request)
            self._look_again(answer, request, news)
        # After the connections have gone on: nobody waits for these words.
        written = [each.as_recorded(answer.settled) for each in portion.finished]
        asyncio.get_running_loop().call_soon(self._settled, written)

    def _request(self, portion: Portion, now: float) -> Request:
        in_flight = self._in_flight.without(portion.claims)
        wanted = self._wanted(now, in_flight.messages.total())
        ended = [each.id for each in portion.claims]
        in_vain = self._permits.probes_in_vain(ended, now)
        self._round += 1
        return Request(
            owner=self._owner,
            known=self._handed_out.to_compare(),
            settlements=portion.settlements,
            untried=portion.given_back(suspect=False),
            suspects=portion.given_back(suspect=True),
            notes=(*portion.notes, *in_vain),
            now=now,
            wanted=wanted,
            due_before=min(now, self._horizon),
            round=self._round,
            failures=self._permits.health.failures,
            concurrency=self._permits.most(self._concurrency),
            in_flight=in_flight,
            terms=self._permits.terms,
        )

    def _on_disk(self, portion: Portion, request: Request) -> None:
        """What waited is written: connections that have ended a message go on."""
        self._outage.is_over()
        self._in_flight = self._in_flight.without(portion.claims)
        if request.known is not None:
            self._handed_out.compared()
        self._written += len(portion.notes)
        self._handed_out.ended(each.key for each in portion.claims)
        self._permits.ended(each.id for each in portion.claims)
        # Before the claims go out: they find the connections that this sets free.
        for done in portion.finished:
            done.over()

    def _refused(self, portion: Portion, error: Refused) -> None:
        """The queue will never take it as it is."""
        if len(portion.notes) == len(portion) == 1:
            self._written += 1
        lost = self._unsettled.refused(portion, error)
        if lost is not None:
            self._in_flight = self._in_flight.without([lost])
            self._permits.ended([lost.id])

    async def _cannot_write(
        self, portion: Portion, error: QueueError, request: Request
    ) -> None:
        """No verdict is lost: they stay here until they can be written."""
        self._unsettled.put_back(portion)
        self._handed_out.may_be_more()
        if isinstance(error, Unheard):
            self._keep_back_claims(request)
        self._outage.goes_on(error, len(self._unsettled))
        await asyncio.sleep(RETRY_SECONDS)

    def _keep_back_claims(self, request: Request) -> None:
        """The queue may have given claims, but nobody gets them."""
        self._handed_out.may_be_more()
        if request.wanted:
            for note in self._permits.unused(request.terms, request.now, time.time()):
                self.note(note)

    def _hand_out(self, answer: Answer, request: Request) -> None:
        now, until = time.time(), request.terms.probe_ends(request.now)
        self._in_flight = self._in_flight.with_more(answer.claims)
        for each in answer.claims:
            self._handed_out.add(each.key)
            self._permits.started(now, each.id, until)
            self._waiting.pop(0).set_result(each)

    def _look_again(self, answer: Answer, request: Request, news: int) -> None:
        """Plan the next look; `news`: what NextLook had counted before this one."""
        if answer.objection is not None:
            self._permits.heed(answer.objection, time.time())
        elif answer.broke or any(each.is_large for each in answer.claims):
            # Claims that broke tell why once nothing else is to be written. Of large
            # mail there may be more: it is claimed one at a time.
            self._next_look.at_once()
        elif len(answer.claims) < request.wanted:
            self._nothing_left(answer.next_due, request.due_before, news)

    def _nothing_left(
        self, next_due: float | None, looked_at: float, news: int
    ) -> None:
        """All was claimed that was due at `looked_at` and could go.

        `next_due` is when the next of the others is due; None: there is none.
        """
        due = next_due is not None and next_due <= looked_at
        idle = self._once and not self.in_flight
        if idle and not due:
            self._stopping = True
        # With nothing in flight no lane's share is used up: something else was in the
        # way of what is due, and may be gone soon.
        later = time.time() + (RETRY_SECONDS if idle else self._interval)
        # What was due then has to wait for room; what has become due since has not.
        coming = later if next_due is None or due else next_due
        self._next_look.at(min(coming, later), news)

    def _dismiss(self) -> None:
        self._ended = True
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
        self._waiting.clear()
