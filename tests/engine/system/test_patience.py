"""Waiting for so long: whoever is told to stop stops, whatever comes in that moment."""

from __future__ import annotations

import asyncio

import pytest
from waiting import all_others_wait

from collective.maildrophost.engine.system.patience import within

LONG = 60.0


def test_what_comes_in_time_is_given():
    async def soon():
        await asyncio.sleep(0)
        return "here"

    assert asyncio.run(within(soon(), LONG)) == "here"


def test_what_fails_in_time_fails():
    async def fails():
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        asyncio.run(within(fails(), LONG))


class Never:
    """Never comes; takes a moment to end."""

    ended = False

    async def comes(self):
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            self.ended = True


def test_what_comes_too_late_is_cancelled_and_has_ended():
    never = Never()
    with pytest.raises(TimeoutError):
        asyncio.run(within(never.comes(), 0.001))
    assert never.ended


def test_what_is_there_after_all_is_given_though_it_was_called_off():
    async def stubborn():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "here"

    assert asyncio.run(within(stubborn(), 0.001)) == "here"


@pytest.mark.parametrize("turns", range(5))
def test_a_cancellation_that_comes_with_the_answer_is_heeded(turns):
    """Python 3.10 and 3.11 swallow it in asyncio.wait_for, for some of these turns."""

    async def cancelled_as_it_comes():
        event = asyncio.Event()
        waiting = asyncio.create_task(within(event.wait(), LONG))
        await all_others_wait()
        event.set()
        for _ in range(turns):
            await asyncio.sleep(0)
        was_there = waiting.done()
        waiting.cancel()
        await asyncio.wait([waiting])
        return was_there or waiting.cancelled()

    assert asyncio.run(cancelled_as_it_comes())


def test_who_is_cancelled_waits_for_the_end_of_what_it_waited_for():
    never = Never()

    async def cancelled():
        waiting = asyncio.create_task(within(never.comes(), LONG))
        await all_others_wait()
        waiting.cancel()
        await asyncio.wait([waiting])
        assert waiting.cancelled()
        assert never.ended

    asyncio.run(cancelled())
