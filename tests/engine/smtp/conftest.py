"""Mail sent over a real connection."""

from __future__ import annotations

import asyncio
import sys
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pytest

from collective.maildrophost.engine.config import RelayAddress, Secret
from collective.maildrophost.engine.smtp import (
    Connection,
    Login,
    RelayFault,
    Security,
    Timeouts,
)

CONTENT = b"Subject: hello\r\n\r\nbody\r\n"


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request):
    """Runs a coroutine to its end on the event loop of that name."""
    return asyncio.run if request.param == "asyncio" else _uvloop().run


@cache
def _uvloop():
    """From the eggs of a buildout, where its tests do not find it by themselves.

    It is on the path for this import alone: any daemon that finds it runs on it.
    """
    found = [str(each) for each in Path(pytest.__file__).parents[2].glob("uvloop-*")]
    sys.path += found
    try:
        return pytest.importorskip("uvloop")
    finally:
        for each in found:
            sys.path.remove(each)
            sys.modules.pop("uvloop", None)


@pytest.fixture
def login():
    def make(user="me", password="pa55:wörd", **options):
        return Login(user, Secret(password), **options)

    return make


@pytest.fixture
def exchange():
    """Open a connection, deliver (sender, recipients, content) tuples, quit."""

    def run(server, *mails, host="127.0.0.1", timeouts=None, login=None, **security):
        return asyncio.run(
            _exchange(server, mails, host, timeouts or {}, login, security)
        )

    return run


async def _exchange(server, mails, host, timeouts, login, security):
    connection = await Connection.open(
        RelayAddress(host, server.port),
        Security(**security),
        login,
        timeouts=Timeouts(**{"quit": 0.5, **timeouts}),
        local_name="client.test",
    )
    results = []
    for mail in mails:
        sender, recipients, *content = mail
        results.append(
            await connection.deliver(
                sender, recipients, content[0] if content else CONTENT
            )
        )
    usable = connection.usable
    await connection.quit()
    return SimpleNamespace(results=results, connection=connection, usable=usable)


@pytest.fixture
def fault(exchange):
    """The RelayFault that opening a connection raises."""

    def run(server, **options):
        with pytest.raises(RelayFault) as raised:
            exchange(server, **options)
        return raised.value

    return run


@pytest.fixture
def outcomes():
    """The outcomes of a result as words, None where there is no verdict."""

    def of(result):
        return [verdict and verdict.outcome.value for verdict in result.verdicts]

    return of
