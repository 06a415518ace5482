"""When the ledger looks for mail, and who gets what it claims."""

from __future__ import annotations

import asyncio
import itertools
import time

import pytest
from engine.delivery.permitting import permits
from waiting import PATIENCE_SECONDS, all_others_wait

from collective.maildrophost.engine.delivery import handedout
from collective.maildrophost.engine.delivery import ledger as module
from collective.maildrophost.engine.delivery.books import Answer
from collective.maildrophost.engine.delivery.finished import Finished
from collective.maildrophost.engine.delivery.ledger import Ledger
from collective.maildrophost.engine.delivery.relayhealth import RelayHealth
from collective.maildrophost.engine.delivery.terms import Objection
from collective.maildrophost.engine.queue import Refused, Unheard

INTERVAL = 3600.0


def ledger_of(write, may_start=None, **how) -> Ledger:
    """One whose daemon has a single connection, and a book that `write` keeps."""
    may_start = may_start or permits()
    return Ledger(write, "me", 1, may_start, INTERVAL, lambda done: None, **how)


async def run_out(ledger):
    """Run it until it ends; what the connection got that had a turn meanwhile."""
    both = asyncio.gather(ledger.turn(None), ledger.run())
    turn, _ = await asyncio.wait_for(both, PATIENCE_SECONDS)
    return turn


@pytest.fixture
def looks():
    """Runs a ledger with one free connection; the requests it makes meanwhile.

    `next_due(request)` is the answer to each, which takes some time. With `awaited` it
    runs until it has made so many, else for a while.
    """

    def run(next_due, awaited=0):
        requests = []
        enough = asyncio.Event()

        async def write(request):
            requests.append(request)
            if len(requests) == awaited:
                enough.set()
            due = next_due(request)
            await asyncio.sleep(0.05)
            return Answer([], due)

        async def until_then():
            ledger = ledger_of(write)
            running = asyncio.create_task(run_out(ledger))
            if awaited:
                await asyncio.wait_for(enough.wait(), PATIENCE_SECONDS)
            else:
                await asyncio.sleep(0.3)
            ledger.stop()
            await running

        asyncio.run(until_then())
        return requests

    return run


def test_a_daemon_in_doubt_of_its_lease_claims_nothing_until_it_is_certain():
    async def until_certain():
        requests = []

        async def write(request):
            requests.append(request)
            ledger.stop()
            return Answer([], None)

        ledger = ledger_of(write)
        ledger.doubt()
        running = asyncio.create_task(run_out(ledger))
        ledger.wake()
        await all_others_wait()
        assert requests == []
        ledger.trust()
        await running
        assert len(requests) == 1

    asyncio.run(until_certain())


def test_claims_that_are_heard_of_too_late_are_handed_to_nobody(claimed):
    """Another daemon may have them by then."""

    async def until_heard():
        async def write(request):
            ledger.doubt()
            ledger.stop()
            return Answer([claimed()], None)

        ledger = ledger_of(write)
        assert await run_out(ledger) is None

    asyncio.run(until_heard())


async def serve(ledger):
    """Run it until it ends, with a connection that gives all mail back at once."""

    async def connection():
        claim = await ledger.turn(None)
        while claim is not None:
            claim = await ledger.turn(Finished(claim, None))

    both = asyncio.gather(connection(), ledger.run())
    await asyncio.wait_for(both, PATIENCE_SECONDS)


def test_mail_whose_end_is_written_is_known_no_more(claimed, monkeypatch):
    """A later claim of it that is not heard of would never be given back."""
    monkeypatch.setattr(handedout, "COMPARE_SECONDS", 0.0)
    mail, known = claimed(), []

    async def until_known():
        async def write(request):
            known.append(request.known)
            ledger.wake()
            if len(known) == 3:
                ledger.stop()
            return Answer([mail] if len(known) == 1 else [], None)

        ledger = ledger_of(write)
        await serve(ledger)

    asyncio.run(until_known())
    assert known == [(), (mail.key,), ()]


def test_nothing_is_claimed_with_what_is_written_before_a_stop(claimed):
    wanted = []

    async def until_stopped():
        async def write(request):
            wanted.append(request.wanted)
            ledger.stop()
            return Answer([claimed()] if len(wanted) == 1 else [], None)

        ledger = ledger_of(write)
        await serve(ledger)

    asyncio.run(until_stopped())
    assert wanted == [1, 0]


def test_a_refusal_with_nothing_to_write_is_an_outage_and_no_endless_loop(
    monkeypatch, caplog
):
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.0)

    async def write(request):
        ledger.stop()
        raise Refused("queue", "these claims cannot be read")

    ledger = ledger_of(write)
    asyncio.run(run_out(ledger))
    assert "these claims cannot be read; nothing new is sent" in caplog.text


def test_nobody_waits_for_a_probe_whose_permission_was_never_heard_of(monkeypatch):
    """Its claim goes back, and the next one asks anew."""
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.0)
    may_start = permits()
    may_start.health = RelayHealth("down", time.time() - 9, 1, time.time() - 1)
    requests = []

    async def write(request):
        requests.append(request)
        if len(requests) == 1:
            raise Unheard("queue", "no answer")
        ledger.stop()
        return Answer([])

    ledger = ledger_of(write, may_start)
    asyncio.run(run_out(ledger))
    unheard, again = requests
    until = unheard.terms.probe_ends(unheard.now)
    (note,) = again.notes
    told = note.keywords
    assert (told["name"], told["until"]) == ("relay:25", until)
    assert told["now"] <= again.now
    assert not ledger.notes_wait


def test_run_once_does_not_take_broken_claims_for_an_empty_queue():
    requests = []

    async def write(request):
        requests.append(request)
        return Answer([], broke=len(requests) < 3)

    asyncio.run(run_out(ledger_of(write, once=True)))
    assert len(requests) == 3


def test_what_other_daemons_have_against_a_claim_is_heeded(monkeypatch):
    objection, heeded = Objection(good=True), []

    async def write(request):
        asyncio.get_running_loop().call_soon(ledger.stop)
        await asyncio.sleep(0)
        return Answer([], objection=objection)

    may_start = permits()
    monkeypatch.setattr(may_start, "heed", lambda what, now: heeded.append(what))
    ledger = ledger_of(write, may_start)
    asyncio.run(run_out(ledger))
    assert heeded == [objection]


def test_a_connection_that_asks_after_the_end_is_told_so_at_once():
    async def come_late():
        ledger = ledger_of(None)
        ledger.stop()
        await asyncio.wait_for(ledger.run(), PATIENCE_SECONDS)
        return await asyncio.wait_for(ledger.turn(None), PATIENCE_SECONDS)

    assert asyncio.run(come_late()) is None


@pytest.mark.parametrize("steps", range(1, 9))
def test_a_pause_that_ends_between_two_looks_at_the_clock_is_not_slept_over(
    steps, monkeypatch
):
    began, step = time.time(), 0.001
    clock = itertools.count(1)

    class Clock:
        @staticmethod
        def time():
            return began + next(clock) * step

    monkeypatch.setattr(module, "time", Clock)
    asked = asyncio.Event()

    async def write(request):
        asked.set()
        return Answer([], None)

    async def until_asked():
        may_start = permits()
        ends = began + (steps + 0.5) * step
        may_start.health = RelayHealth("down", began, 1, ends)
        ledger = ledger_of(write, may_start)
        running = asyncio.create_task(run_out(ledger))
        await asyncio.wait_for(asked.wait(), PATIENCE_SECONDS)
        ledger.stop()
        await running

    asyncio.run(until_asked())


def test_what_becomes_due_while_the_queue_is_read_is_not_left_for_later(looks):
    looks(lambda request: request.due_before + 0.01, awaited=2)


def test_what_becomes_due_soon_is_waited_for(looks):
    first, second, *_ = looks(lambda request: request.due_before + 0.15, awaited=2)
    assert second.now - first.now >= 0.15


def test_mail_that_is_due_and_not_allowed_waits_until_it_is_woken(looks):
    assert len(looks(lambda request: request.due_before - 1)) == 1


def test_without_anything_to_come_the_next_look_is_far_away(looks):
    assert len(looks(lambda request: time.time() + 2 * INTERVAL)) == 1
    assert len(looks(lambda request: None)) == 1
