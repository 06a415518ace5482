"""One token for all connections: one refresh at a time, early, never in the way."""

from __future__ import annotations

import asyncio
import gc
import logging

import pytest
from engine.tokens.numbered import run, settled, text
from waiting import until

from collective.maildrophost.engine.tokens import TokenFault


def test_a_token_is_used_while_it_is_good(endpoint, source):
    async def story():
        assert await text(source) == "1"
        endpoint.now = 53.9
        assert await text(source) == "1"

    run(story())
    assert endpoint.asked == 1


def test_all_connections_wait_for_the_same_refresh(endpoint, source):
    async def story():
        endpoint.gate.clear()
        waiting = [asyncio.create_task(text(source)) for _ in range(10)]
        await until(lambda: endpoint.asked, "a request")
        endpoint.gate.set()
        assert await asyncio.gather(*waiting) == ["1"] * 10

    run(story())
    assert endpoint.asked == 1


def test_all_connections_meet_the_same_fault(endpoint, source):
    async def story():
        endpoint.fault = TokenFault("down", permanent=False)
        endpoint.gate.clear()
        waiting = [asyncio.create_task(text(source)) for _ in range(10)]
        await until(lambda: endpoint.asked, "a request")
        endpoint.gate.set()
        met = await asyncio.gather(*waiting, return_exceptions=True)
        assert met == [endpoint.fault] * 10
        endpoint.fault = None
        assert await text(source) == "2"

    run(story())


def test_a_connection_that_is_given_up_does_not_stop_the_refresh(endpoint, source):
    async def story():
        endpoint.gate.clear()
        given_up, waits = (asyncio.create_task(text(source)) for _ in range(2))
        await until(lambda: endpoint.asked, "a request")
        given_up.cancel()
        await asyncio.sleep(0)
        endpoint.gate.set()
        assert await waits == "1"

    run(story())


def test_a_refresh_that_fails_when_nobody_waits_leaves_no_traceback(
    endpoint, source, caplog
):
    async def story():
        endpoint.gate.clear()
        endpoint.fault = TokenFault("down", permanent=False)
        given_up = asyncio.create_task(text(source))
        await until(lambda: endpoint.asked, "a request")
        given_up.cancel()
        await asyncio.sleep(0)
        endpoint.gate.set()
        await settled(source)
        endpoint.fault = None
        assert await text(source) == "2"
        gc.collect()
        assert "asyncio" not in {record.name for record in caplog.records}

    run(story())


def test_mail_does_not_wait_for_an_early_refresh(endpoint, source):
    async def story():
        await source.token()
        endpoint.now = 55
        endpoint.gate.clear()
        assert [await text(source) for _ in range(3)] == ["1"] * 3
        endpoint.gate.set()
        await settled(source)
        assert await text(source) == "2"

    run(story())
    assert endpoint.asked == 2


def test_mail_goes_on_when_an_early_refresh_fails(endpoint, source, caplog):
    async def story():
        await source.token()
        endpoint.fault = TokenFault("tokens.test: HTTP 503", permanent=False)
        endpoint.now = 55
        for _ in range(3):
            assert await text(source) == "1"
            await settled(source)
        assert endpoint.asked == 2, "not again at once"
        endpoint.now = 60
        with pytest.raises(TokenFault):
            await source.token()

    caplog.set_level(logging.WARNING)
    run(story())
    [record] = caplog.records
    assert "HTTP 503; mail goes on" in record.getMessage()


def test_an_early_refresh_that_has_failed_is_tried_again_while_the_token_is_good(
    endpoint, source
):
    async def story():
        endpoint.lifetime = 3600.0
        await source.token()
        endpoint.fault = TokenFault("down", permanent=False)
        for now in (3300.0, 3329.9, 3330.0, 3359.9, 3360.0):
            endpoint.now = now
            assert await text(source) == "1"
            await settled(source)
        assert endpoint.asked == 1 + 3
        endpoint.fault = None
        endpoint.now = 3390.0
        assert await text(source) == "1"
        await settled(source)
        assert await text(source) == "5"

    run(story())


def test_a_refused_token_is_not_given_out_again(endpoint, source):
    async def story():
        first = await source.token()
        assert await text(source, first) == "2"
        # Another connection was refused with the old one: there is a new one already.
        assert await text(source, first) == "2"
        assert await text(source) == "2"

    run(story())
    assert endpoint.asked == 2
