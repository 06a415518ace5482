"""The server is lost, and a standby takes over: mail goes on there by itself."""

from __future__ import annotations

import threading

import pytest
from servers.postgresql import PostgreSQL
from servers.scripted import Late, Scripted
from servers.standby import Standby
from sqlalchemy.engine import make_url
from waiting import wait_until

from collective.maildrophost.engine.queue import QueueError, State, open_queue

OK = "250 2.0.0 Ok"
GIVEN_AHEAD = 33
"""PostgreSQL may tell a standby of so many ids before they are given."""


@pytest.fixture
def pair():
    """A server with its standby."""
    with PostgreSQL() as primary, Standby(primary) as standby:
        yield primary, standby


@pytest.fixture
def machine(pair, machines):
    """One whose queue names both."""
    primary, standby = pair
    name = primary.create()
    hosts = f"?host={primary.host}:5432&host={standby.host}:5432"
    (site,) = machines(1, f"postgresql+psycopg://maildrop@/{name}{hosts}")
    return site


@pytest.mark.parametrize("accepts", ["read-write", "any"])
def test_a_standby_alone_is_reported_as_such(pair, accepts):
    primary, standby = pair
    url = standby.url(primary.create("postgres"))
    wait_until(lambda: there(standby, url))
    with pytest.raises(QueueError, match=": it is read-only: if it is a standby"):
        open_queue(f"{url}&target_session_attrs={accepts}")


def there(server, url):
    """Whether the server has the database by now."""
    name = make_url(url).database
    return server.execute(f"SELECT 1 FROM pg_database WHERE datname = '{name}'")


def sends(site, *messages):
    """The ids, or nothing while the queue cannot be written."""
    try:
        return site.send(*messages)
    except QueueError:
        return ()


def test_daemon_and_senders_go_on_with_the_standby(pair, machine, make_mail):
    primary, standby = pair
    with Scripted() as relay:
        machine.configure(SMTP_PORT=relay.port)
        with machine.daemon():
            (before,) = machine.send(make_mail())
            machine.wait_for(before, State.SENT)
            primary.kill()
            standby.promote()
            (after,) = wait_until(lambda: sends(machine, make_mail()))
            machine.wait_for(after, State.SENT)
    assert len(relay.received) == 2


def test_the_verdict_on_a_lost_mail_is_not_given_to_the_one_that_has_its_id(
    pair, machine, make_mail
):
    primary, standby = pair
    late = threading.Event()
    with Scripted() as relay:
        machine.configure(SMTP_PORT=relay.port, MAILDROP_CONCURRENCY=1)
        with machine.daemon():
            machine.wait_for(machine.send(make_mail())[0], State.SENT)
            standby.fall_behind()
            sent = machine.send(*[make_mail()] * GIVEN_AHEAD)
            machine.wait_for(sent[-1], State.SENT)
            relay.follow({"END": [Late(late, OK), OK]})
            (lost,) = machine.send(make_mail(subject="lost"))
            wait_until(lambda: len(relay.received) == GIVEN_AHEAD + 2)
            primary.kill()
            standby.promote()
            mails = [make_mail(subject=f"new{number}") for number in range(3)]
            new = wait_until(lambda: sends(machine, *mails))
            assert lost in new
            late.set()
            for id in new:
                machine.wait_for(id, State.SENT)
    arrived = b"".join(each.content for each in relay.accepted)
    assert all(b"Subject: new%d" % number in arrived for number in range(3))
