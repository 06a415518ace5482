"""One token for all connections: one refresh at a time, early, never in the way."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from waiting import PATIENCE_SECONDS, until

from collective.maildrophost.engine.config import Secret
from collective.maildrophost.engine.tokens import TokenFault, TokenSource
from collective.maildrophost.engine.tokens.endpoint import Issued


class Endpoint:
    """Gives out "1", "2", ... for a minute each; a fault when it has one."""

    def __init__(self) -> None:
        self.now = 0.0
        self.lifetime = 60.0
        self.asked = 0
        self.fault: TokenFault | None = None
        self.gate = threading.Event()
        self.gate.set()

    def fetch(self) -> Issued:
        self.asked += 1
        self.gate.wait(2 * PATIENCE_SECONDS)
        if self.fault is not None:
            raise self.fault
        return Issued(Secret(str(self.asked)), self.lifetime, Secret(""))


@pytest.fixture
def endpoint():
    return Endpoint()


@pytest.fixture
def source(endpoint):
    return TokenSource(endpoint.fetch, lambda: endpoint.now)


async def text(source: TokenSource, *refused) -> str:
    return (await source.token(*refused)).secret.reveal()


async def settled(source: TokenSource) -> None:
    """Until the refresh in the background has ended."""
    await asyncio.wait([source._refreshing], timeout=PATIENCE_SECONDS)
    await asyncio.sleep(0)


def run(coroutine) -> None:
    asyncio.run(asyncio.wait_for(coroutine, PATIENCE_SECONDS))


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


PATIENCE = "collective.maildrophost.engine.tokens.source.LONGEST_SECONDS"


@pytest.fixture
def impatient(monkeypatch):
    """Nobody waits long for an endpoint."""
    monkeypatch.setattr(PATIENCE, 0.05)


def test_an_endpoint_that_never_ends_its_answer_is_given_up(
    endpoint, source, impatient
):
    async def story():
        endpoint.gate.clear()
        with pytest.raises(TokenFault) as raised:
            await source.token()
        endpoint.gate.set()
        assert not raised.value.permanent

    run(story())


def test_an_endpoint_that_never_ends_its_answer_keeps_no_thread_of_the_heartbeat(
    endpoint, source, impatient
):
    async def story():
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        endpoint.gate.clear()
        with pytest.raises(TokenFault):
            await source.token()
        assert (
            await asyncio.wait_for(asyncio.to_thread(str, "beat"), PATIENCE_SECONDS)
            == "beat"
        )
        endpoint.gate.set()

    run(story())


def test_nothing_is_asked_while_a_request_is_under_way(endpoint, source):
    async def story():
        endpoint.gate.clear()
        for _ in range(3):
            await given_up(source)
        assert endpoint.asked == 1
        waits = asyncio.create_task(text(source))
        for _ in range(2):  # it begins, and then its refresh
            await asyncio.sleep(0)
        endpoint.gate.set()
        assert await waits == "1", "its answer is as good as any"

    run(story())
    assert endpoint.asked == 1


async def given_up(source: TokenSource) -> None:
    """Somebody does not wait long for the endpoint."""
    with pytest.MonkeyPatch.context() as once:
        once.setattr(PATIENCE, 0.05)
        with pytest.raises(TokenFault):
            await source.token()


async def answered_too_late(endpoint: Endpoint, source: TokenSource) -> None:
    """The endpoint answers when nobody waits for it any more."""
    endpoint.gate.clear()
    await given_up(source)
    endpoint.gate.set()
    await until(source._request.answer.done, "the answer")


def test_a_token_that_came_when_nobody_waited_is_used(endpoint, source):
    async def story():
        await answered_too_late(endpoint, source)
        first = await source.token()
        assert first.secret.reveal() == "1"
        assert first.expires == 60.0, "from when it was asked for"
        assert await text(source, first) == "2", "and only once"

    run(story())
    assert endpoint.asked == 2


@pytest.mark.parametrize(
    ("passed", "fault"), [(60, None), (0, TokenFault("down", permanent=False))]
)
def test_a_useless_answer_that_came_too_late_is_asked_for_again(
    endpoint, source, passed, fault
):
    async def story():
        endpoint.fault = fault
        await answered_too_late(endpoint, source)
        endpoint.now, endpoint.fault = passed, None
        assert await text(source) == "2"

    run(story())


def test_a_request_under_way_does_not_hold_up_the_end():
    program = """
import asyncio, threading
from collective.maildrophost.engine.tokens import TokenFault, TokenSource, source
source.LONGEST_SECONDS = 0.05
try:
    asyncio.run(TokenSource(threading.Event().wait).token())
except TokenFault:
    print("given up")
"""
    ended = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        timeout=PATIENCE_SECONDS,
        check=True,
    )
    assert ended.stdout == b"given up\n"
