"""An endpoint that answers late, or never: nobody waits for it for ever."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from engine.tokens.numbered import Endpoint, run, text
from waiting import PATIENCE_SECONDS, until

from collective.maildrophost.engine.tokens import TokenFault, TokenSource

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
