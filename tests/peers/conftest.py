"""A queue for every test of a peer."""

from __future__ import annotations

import time

import pytest
import transaction
from peers import mailhost, sendmail
from peers.post import the_queue

from collective.maildrophost import productconfig
from collective.maildrophost.engine.doorbell import listen
from collective.maildrophost.engine.queue import Daemon, register

LEASE_SECONDS = 60

CONFIGURATION = {
    "Products.MailHost": "ADD_MESSAGEID=0\n",  # its tests compare every octet
    "zope.sendmail": "",
}
SUBSTITUTES = {
    "Products.MailHost": mailhost.substitutes,
    "zope.sendmail": sendmail.substitutes,
}


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Where configuration and queue of this test are."""
    monkeypatch.setenv(productconfig.ENVIRONMENT, str(tmp_path / "maildrop.conf"))
    transaction.abort()
    yield tmp_path
    transaction.abort()


@pytest.fixture
def use_configuration(home):
    """Writes the configuration that goes with the tests of a package."""

    def write(package):
        path = home / "maildrop.conf"
        path.write_text(f'MAILDROP_HOME="{home}"\n{CONFIGURATION[package]}')

    return write


@pytest.fixture
def doorbell(home):
    """The doorbell of a daemon that works on the queue."""
    bell = listen(home)
    yield bell
    bell.close()


@pytest.fixture
def daemon(doorbell):
    """Tells the queue of a daemon with that doorbell."""

    def tell():
        now = time.time()
        with the_queue().write() as tx:
            register(tx, _daemon(doorbell, now))

    return tell


def _daemon(doorbell, now):
    return Daemon(
        owner="d" * 32,
        host="localhost",
        pid=1,
        process="1",
        doorbell=str(doorbell.path),
        relay="localhost:25",
        started=now,
        seen=now,
        lease_until=now + LEASE_SECONDS,
    )


@pytest.fixture
def maildrop_host(monkeypatch, use_configuration, daemon, doorbell):
    """Puts a Maildrop Host in the place of what the tests of a package test."""

    def in_place(package):
        use_configuration(package)
        daemon()
        for place, stand_in in SUBSTITUTES[package](doorbell).items():
            monkeypatch.setattr(place, stand_in)

    yield in_place
    the_queue().close()
