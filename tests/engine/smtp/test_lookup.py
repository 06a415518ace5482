"""Looking up the name of a relay, with name servers that are dead or know nothing."""

from __future__ import annotations

import asyncio
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from waiting import PATIENCE_SECONDS

from collective.maildrophost.engine.config import RelayAddress
from collective.maildrophost.engine.smtp import (
    Connection,
    RelayFault,
    Security,
    Timeouts,
)


def test_an_unknown_name_is_a_fault():
    relay = RelayAddress("no-such-host.invalid", 25)
    with pytest.raises(RelayFault, match=r"no-such-host\.invalid was not found"):
        asyncio.run(Connection.open(relay, Security()))


class NameServers:
    """Answer as soon as `answer` is set; `asked` are the names."""

    def __init__(self):
        self.asked = []
        self.answer = threading.Event()

    def look_up(self, host, *args, **kwargs):
        self.asked.append(host)
        self.answer.wait(2 * PATIENCE_SECONDS)
        raise socket.gaierror(socket.EAI_AGAIN, "no name server answers")


@pytest.fixture
def dead_name_servers(monkeypatch):
    """Name servers that do not answer before the test has ended."""
    servers = NameServers()
    monkeypatch.setattr(socket, "getaddrinfo", servers.look_up)
    yield servers
    servers.answer.set()


async def open_in_vain(host, timeout):
    with pytest.raises(RelayFault) as raised:
        await Connection.open(
            RelayAddress(host, 25), Security(), timeouts=Timeouts(connect=timeout)
        )
    return raised.value.reason


# Each test asks for a host of its own: look-ups are shared by all who ask for one, and
# that of the test before may not have ended.


def test_dead_name_servers_take_no_thread_from_the_heartbeat(dead_name_servers):
    async def story():
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        assert "within 0.05 seconds" in await open_in_vain("beat.test", 0.05)
        beat = asyncio.to_thread(str, "beat")
        assert await asyncio.wait_for(beat, PATIENCE_SECONDS) == "beat"
        dead_name_servers.answer.set()

    asyncio.run(story())


def test_one_look_up_of_a_host_serves_all_who_wait_for_it(dead_name_servers):
    async def story():
        assert "within 0.05 seconds" in await open_in_vain("shared.test", 0.05)
        waiting = [
            asyncio.create_task(open_in_vain("shared.test", PATIENCE_SECONDS))
            for _ in range(5)
        ]
        await asyncio.sleep(0)  # they begin
        dead_name_servers.answer.set()
        for reason in await asyncio.gather(*waiting):
            assert "no name server answers" in reason
        assert dead_name_servers.asked == ["shared.test"]
        await open_in_vain("shared.test", PATIENCE_SECONDS)
        assert dead_name_servers.asked == ["shared.test"] * 2

    asyncio.run(story())
