"""The real daemon against servers, disks and clocks that misbehave."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager

import pytest
from engine.faults.clocks import OFTEN, Clock
from engine.faults.exchange import Exchange
from engine.faults.permissions import bind
from forking import IMPATIENT
from servers.scripted import Hang, Scripted
from servers.silent import silent


def impatient_program(smtp, **constants):
    times = {name.replace("__", "."): value for name, value in constants.items()}
    return sys.executable, IMPATIENT, json.dumps({"smtp": smtp, **times})


@pytest.fixture
def impatient(site):
    """Has the daemon wait less long than the real one."""

    def make(smtp=None, **constants):
        site.program = impatient_program(smtp or {}, **constants)

    return make


@pytest.fixture
def clock(site, tmp_path, impatient):
    impatient(**OFTEN)
    return Clock(site, tmp_path / "faketime")


@pytest.fixture
def unprivileged(site):
    """The programs of the site may do nothing that a file's mode forbids."""
    bind(site)


@contextmanager
def running_exchange(site, seconds=None):
    """An exchange whose daemon waits for so long where no reply comes."""
    if seconds is not None:
        phases = ("mail", "rcpt", "data", "content", "end", "quit")
        site.program = impatient_program(dict.fromkeys(phases, seconds))
    with Scripted() as relay:
        # One message for each connection, so that it meets the script of its own test;
        # no second attempt, and no letter about a failure, that no test asked for.
        site.configure(SMTP_PORT=relay.port, MAILDROP_BATCH=1, MAILDROP_RETRY_MIN=3600)
        site.configure(MAILDROP_BOUNCE=0)
        with site.daemon():
            yield Exchange(site, relay)
    site.queue.close()


@pytest.fixture(scope="session")
def patient_exchange(make_site, tmp_path_factory):
    with running_exchange(make_site(tmp_path_factory.mktemp("patient"))) as exchange:
        yield exchange


@pytest.fixture(scope="session")
def hasty_exchange(make_site, tmp_path_factory):
    # Long enough for a busy machine to say what does come.
    with running_exchange(make_site(tmp_path_factory.mktemp("hasty")), 3.0) as exchange:
        yield exchange


@pytest.fixture
def hangs(request):
    """Whether the relay hangs, in a test that has such an answer as a parameter."""
    given = request.node.callspec.params if hasattr(request.node, "callspec") else {}
    return any(isinstance(each, Hang) or each == "silence" for each in given.values())


@pytest.fixture
def exchange(request, hangs):
    """A daemon and a relay that go on running from test to test.

    The daemon soon gives up only on a relay that hangs: any other may be slow because
    the machine is busy.
    """
    kind = "hasty" if hangs else "patient"
    exchange = request.getfixturevalue(f"{kind}_exchange")
    yield exchange
    exchange.forget()


@pytest.fixture
def silent_port():
    """A port where nobody takes a connection, and nobody refuses one."""
    with silent() as port:
        yield port


@pytest.fixture(scope="session")
def large_content():
    """More than all buffers on the way to a relay on the same machine hold."""
    return b"Subject: large\n\n" + b"all work and no play makes mail\n" * 250_000
