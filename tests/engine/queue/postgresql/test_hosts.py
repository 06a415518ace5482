"""A queue on several hosts: once a good one is found, nobody waits for the others."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, closing
from types import SimpleNamespace

import pytest
from engine.queue.mails import length, send
from servers.postgresql import PostgreSQL
from servers.proxy import Proxy
from servers.twohosts import two_hosts
from sqlalchemy.engine import make_url
from waiting import wait_until

from collective.maildrophost.engine.queue import QueueError, open_queue, renew
from collective.maildrophost.engine.queue.postgresql import hosts

WAIT_SECONDS = 2
"""The shortest that libpq knows, for each host."""
PAGES = 24
AT_ONCE = 8
"""More than a pool keeps open."""


@pytest.fixture
def vanished(postgresql):
    """A host that does not answer any more."""
    with Proxy(postgresql.socket) as proxy:
        proxy.cut()
        yield proxy


@pytest.fixture
def other():
    with PostgreSQL(max_connections=20) as server:
        yield server


def url_of(name, *hosts, attrs="read-write"):
    places = "&".join(f"host={host}" for host in hosts)
    return (
        f"postgresql+psycopg://maildrop@/{name}?{places}"
        f"&target_session_attrs={attrs}&connect_timeout={WAIT_SECONDS}"
    )


@pytest.fixture
def half_gone(vanished, postgresql, postgresql_url):
    """The URL of a queue whose first host has vanished."""
    name = make_url(postgresql_url).database
    return url_of(name, f"127.0.0.1:{vanished.port}", where(postgresql))


def where(server):
    return f"{server.host}:5432"


def page(queue):
    with queue.write() as tx:
        tx.exec_driver_sql("SELECT pg_sleep(0.05)")


def test_a_host_that_vanished_is_waited_for_once_and_by_no_page_after_that(
    half_gone, vanished
):
    with closing(open_queue(half_gone)) as queue, ThreadPoolExecutor(AT_ONCE) as pages:
        list(pages.map(lambda _: page(queue), range(PAGES)))
    assert vanished.met == 1


def test_a_host_that_vanished_is_not_waited_for_by_another_queue_of_the_process(
    half_gone, vanished
):
    for _ in range(2):
        open_queue(half_gone).close()
    assert vanished.met == 1


def test_a_host_that_vanished_is_waited_for_once_by_listeners_and_pages_together(
    half_gone, vanished
):
    async def listen(queue):
        async with aclosing(queue.rings()) as rings:
            await anext(rings)

    with closing(open_queue(half_gone)) as queue:
        asyncio.run(listen(queue))
        assert vanished.met == 1
        hosts._good.clear()
        asyncio.run(listen(queue))
        page(queue)
        assert vanished.met == 2


def used(queue):
    """The host of the next new connection."""
    queue.close()
    with queue.read() as tx:
        return tx.connection.driver_connection.info.host


@pytest.fixture
def pair(postgresql, other):
    """Two servers with an empty queue of the same name: the name, and both servers."""
    with two_hosts(postgresql, other) as name:
        yield name, postgresql, other


def can_write(server, name, can):
    word = "off" if can else "on"
    server.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = {word}")


@pytest.mark.parametrize("attrs", ["read-write", "primary"])
def test_a_host_keeps_its_place_while_it_is_good(pair, attrs):
    name, first, second = pair
    second.stop()
    url = url_of(name, where(second), where(first), attrs=attrs)
    with closing(open_queue(url)) as queue:
        assert used(queue) == first.host
        second.start()
        assert used(queue) == first.host


def test_a_host_that_cannot_write_any_more_loses_its_place(pair):
    name, first, second = pair
    can_write(first, name, False)
    with closing(open_queue(url_of(name, where(first), where(second)))) as queue:
        assert used(queue) == second.host
        can_write(first, name, True)
        can_write(second, name, False)
        assert used(queue) == first.host
        can_write(second, name, True)
        assert used(queue) == first.host


def beat(queue, hands):
    with queue.write() as tx:
        renew(tx, "one", hands.now, 60.0, "relay:25")


# SQLAlchemy writes the heartbeat. For it a refusal breaks no connection.
@pytest.mark.parametrize(("write", "mails"), [(send, 1), (beat, 0)])
def test_a_server_that_is_made_read_only_is_written_no_more(pair, hands, write, mails):
    """Another one takes over that would not hear of it: nothing may be taken there."""
    name, last, first = pair
    with closing(open_queue(url_of(name, where(first), where(last)))) as queue:
        write(queue, hands)
        make_read_only(first)
        with pytest.raises(QueueError, match="it is read-only"):
            write(queue, hands)
        write(queue, hands)
        assert used(queue) == last.host
    for server in (first, last):
        with closing(open_queue(f"{server.url(name)}&target_session_attrs=any")) as one:
            assert length(one) == mails


def make_read_only(server):
    """For the sessions that are open as well."""
    server.execute("ALTER SYSTEM SET default_transaction_read_only = on")
    server.execute("SELECT pg_reload_conf()")
    asked = "SHOW default_transaction_read_only"
    wait_until(lambda: server.execute(asked) == [("on",)])


def test_where_any_host_will_do_the_order_is_that_of_the_url(pair):
    """A standby lets everybody in: that it did does not say that it can write."""
    name, first, second = pair
    second.stop()
    url = url_of(name, where(second), where(first), attrs="any")
    with closing(open_queue(url)) as queue:
        assert used(queue) == first.host
        second.start()
        assert used(queue) == second.host


def test_a_host_whose_database_cannot_hold_mail_is_not_kept(postgresql, other):
    name = other.create()
    postgresql.execute(
        f"CREATE DATABASE {name} OWNER maildrop TEMPLATE template0 ENCODING 'LATIN1' "
        "LC_COLLATE 'C' LC_CTYPE 'C'"
    )
    url = url_of(name, where(other), where(postgresql))
    other.stop()
    with pytest.raises(QueueError, match="encoding is LATIN1"):
        open_queue(url)
    other.start()
    with closing(open_queue(url)) as queue:
        assert used(queue) == other.host
    postgresql.drop(name)


@pytest.mark.parametrize(
    ("options", "found", "then"),
    [
        (
            {"host": "a,b,c", "port": ","},
            {"host": "b", "hostaddr": "192.0.2.2", "port": 5432},
            {"host": "b,a,c", "port": ","},
        ),
        (
            {"host": "a,a", "port": "1,2"},
            {"host": "a", "hostaddr": "192.0.2.1", "port": 2},
            {"host": "a,a", "port": "2,1"},
        ),
        (
            {"host": "a,b", "port": "7"},
            {"host": "b", "hostaddr": "192.0.2.2", "port": 7},
            {"host": "b,a", "port": "7"},
        ),
        (
            {"host": "a,a", "hostaddr": "192.0.2.1,192.0.2.2"},
            {"host": "a", "hostaddr": "192.0.2.2", "port": 5432},
            {"host": "a,a", "hostaddr": "192.0.2.2,192.0.2.1"},
        ),
        (
            {"host": "a,b", "port": 7},
            {"host": "c", "hostaddr": "192.0.2.3", "port": 7},
            {"host": "a,b", "port": 7},
        ),
        (
            {"host": "a", "port": 7},
            {"host": "a", "hostaddr": "192.0.2.1", "port": 7},
            {"host": "a", "port": 7},
        ),
        (
            {"dbname": "maildrop"},
            {"host": "a", "hostaddr": "192.0.2.1", "port": 5432},
            {"dbname": "maildrop"},
        ),
    ],
)
def test_host_address_and_port_move_together(monkeypatch, options, found, then):
    monkeypatch.setattr(hosts, "_good", {})
    options = {**options, "target_session_attrs": "read-write"}
    assert hosts.good_one_first(options) == options
    hosts.remember_good(options, SimpleNamespace(**found))
    assert hosts.good_one_first(options) == {**options, **then}


def test_the_host_that_was_good_for_one_url_says_nothing_of_another(monkeypatch):
    monkeypatch.setattr(hosts, "_good", {})
    one = {"host": "a,b,c", "target_session_attrs": "read-write"}
    other = {**one, "host": "a,b"}
    third = SimpleNamespace(host="c", hostaddr="192.0.2.3", port=5432)
    hosts.remember_good(one, third)
    assert hosts.good_one_first(one)["host"] == "c,a,b"
    assert hosts.good_one_first(other) == other


def risks(url):
    with closing(open_queue(url)) as queue, queue.read() as tx:
        found = queue.database.risks(tx)
    return [each for each in found if "fsync" not in each]


@pytest.mark.parametrize("attrs", ["read-write", "any"])
def test_two_hosts_that_can_be_written_are_warned_of(pair, attrs):
    name, first, second = pair
    url = url_of(name, where(first), where(second), attrs=attrs)
    (risk,) = risks(url)
    assert risk.startswith(f"{where(first)} and {where(second)} can both be written")
    can_write(second, name, False)
    assert risks(url) == []


def test_a_host_that_could_not_take_over_is_warned_of(pair):
    name, first, second = pair
    second.stop()
    (risk,) = risks(url_of(name, where(first), where(second)))
    assert risk.startswith(
        f"{where(second)} cannot take over when another host fails ("
    )
    assert risk.isprintable()


def test_two_ways_to_one_server_are_no_risk(postgresql, postgresql_url):
    name = make_url(postgresql_url).database
    with Proxy(postgresql.socket) as one, Proxy(postgresql.socket) as other:
        ways = [f"127.0.0.1:{proxy.port}" for proxy in (one, other)]
        assert risks(url_of(name, *ways)) == []
    assert risks(postgresql_url) == []
