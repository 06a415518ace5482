"""What the ledger asks to be written, and what it keeps until that is done."""

from __future__ import annotations

import asyncio
import time

import pytest
from engine.delivery.permitting import permits
from engine.delivery.writing import settled
from waiting import PATIENCE_SECONDS, all_others_wait

from collective.maildrophost.engine.delivery import ledger as module
from collective.maildrophost.engine.delivery.books import Answer
from collective.maildrophost.engine.delivery.finished import Finished
from collective.maildrophost.engine.delivery.ledger import Ledger
from collective.maildrophost.engine.delivery.relayhealth import RelayHealth
from collective.maildrophost.engine.queue import (
    QueueError,
    Refused,
    Unheard,
    end_probe,
)
from collective.maildrophost.engine.verdict import Outcome, Verdict

INTERVAL = 3600.0
LATER = Verdict(Outcome.DEFERRED, "450 later")


class Desk:
    """Where a ledger has things written; a test reads them, and says what follows."""

    def __init__(self):
        self._asked, self._said = asyncio.Queue(), asyncio.Queue()

    async def __call__(self, request):
        self._asked.put_nowait(request)
        said = await self._said.get()
        if isinstance(said, Exception):
            raise said
        return said

    async def asked(self):
        """The next request."""
        return await asyncio.wait_for(self._asked.get(), PATIENCE_SECONDS)

    def say(self, said):
        self._said.put_nowait(said)

    async def answered(self, said):
        """The next request, which gets this answer."""
        request = await self.asked()
        self.say(said)
        return request


@pytest.fixture
def play(monkeypatch):
    """Plays a scene with a ledger, its desk, and what begins a connection's turn."""
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.0)

    def play(scene, may_start=None):
        async def run():
            desk = Desk()
            may = may_start or permits()
            ledger = Ledger(desk, "me", 2, may, INTERVAL, lambda done: None)
            begun = [asyncio.create_task(ledger.run())]

            def turn(finished=None):
                begun.append(asyncio.create_task(ledger.turn(finished)))
                return begun[-1]

            await scene(ledger, desk, turn)
            for each in begun:
                each.cancel()

        asyncio.run(run())

    return play


def test_verdicts_that_could_not_be_written_are_handed_in_again(play, claimed):
    one, two = (claimed("b@x.org", id=id) for id in (1, 2))
    settlement = settled(one, ((0, LATER),), time.time())
    freed = []

    async def scene(ledger, desk, turn):
        connection, _other = turn(), turn()
        assert (await desk.answered(Answer([one, two]))).known is None
        assert await connection == one
        again = turn(Finished(one, settlement, lambda: freed.append(again.done())))
        lost = await desk.answered(QueueError("queue", "the disk is full"))
        assert (lost.settlements, lost.known) == ([settlement], None)
        kept = await desk.asked()
        assert kept.settlements == [settlement]
        # The answer to a commit may have been lost: all others go back.
        assert set(kept.known) == {one.key, two.key}
        assert freed == []
        desk.say(Answer([claimed("b@x.org", id=3)]))
        assert (await again).id == 3
        # Its connection goes on before somebody needs one for the next message.
        assert freed == [False]
        ledger.wake()
        turn()
        written = await desk.asked()
        assert (written.settlements, written.known) == ([], None)

    play(scene)


def test_nothing_is_claimed_before_all_that_may_be_on_disk_is_written_again(
    play, claimed
):
    """What is on disk already, and is handed in again, gives back a later claim."""
    one, two = (claimed("b@x.org", id=id) for id in (1, 2))
    of_one, of_two = (settled(each, ((0, LATER),), time.time()) for each in (one, two))

    async def scene(ledger, desk, turn):
        turn(), turn()
        await desk.answered(Answer([one, two]))
        await all_others_wait()
        turn(Finished(one, of_one)), turn(Finished(two, of_two))
        unheard = await desk.answered(Unheard("queue", "no answer"))
        assert (unheard.settlements, unheard.wanted) == ([of_one, of_two], 2)
        await desk.answered(Refused("queue", "never"))
        first = await desk.answered(Answer([]))
        assert (first.settlements, first.wanted) == ([of_one], 0)
        last = await desk.asked()
        assert (last.settlements, last.wanted) == ([of_two], 2)

    play(scene)


def test_claims_that_are_heard_of_too_late_go_back(play, claimed):
    async def scene(ledger, desk, turn):
        turn()
        await desk.asked()
        ledger.doubt()
        desk.say(Answer([claimed("b@x.org")]))
        await all_others_wait()
        ledger.trust()
        assert (await desk.asked()).known == ()

    play(scene)


@pytest.mark.parametrize("said", [Answer([]), Refused("queue", "never")], ids=type)
def test_a_note_waits_until_it_is_written_or_never_will_be(play, said):
    async def scene(ledger, desk, turn):
        ledger.note(print)
        assert (await desk.asked()).notes == (print,)
        assert ledger.notes_wait
        desk.say(said)
        await all_others_wait()
        assert not ledger.notes_wait

    play(scene)


def test_a_probe_that_found_nothing_out_is_reported_to_those_who_wait(play, claimed):
    may_start = permits()
    began = time.time() - 9
    may_start.health = RelayHealth("down", began, 1, began + 2)

    async def scene(ledger, desk, turn):
        probe = turn()
        asked = await desk.answered(Answer([claimed("b@x.org")]))
        turn(Finished(await probe, None))
        ended = await desk.asked()
        until = asked.terms.probe_ends(asked.now)
        (note,) = ended.notes
        assert note.func is end_probe
        told = {"name": "relay:25", "until": until, "now": ended.now}
        assert note.keywords == told

    play(scene, may_start)


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param([Answer([])], id="written"),
        # With the relay's words, and without them.
        pytest.param([Refused("queue", "never")] * 2, id="lost"),
    ],
)
def test_a_probe_that_has_ended_is_in_the_way_of_no_other(play, claimed, answers):
    may_start = permits()
    may_start.health = RelayHealth("down", time.time() - 9, 1, time.time() - 7)
    mail = claimed("b@x.org")

    async def scene(ledger, desk, turn):
        turn()
        await desk.answered(Answer([mail]))
        await all_others_wait()
        turn(Finished(mail, settled(mail, ((0, LATER),), time.time())))
        for said in answers:
            assert (await desk.answered(said)).wanted == 0
        assert (await desk.asked()).wanted == 1

    play(scene, may_start)
