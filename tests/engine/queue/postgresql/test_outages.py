"""The server stops, breaks, is full or out of reach: nothing is left half done."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest
from engine.queue.mails import length, send
from servers.proxy import Proxy
from sqlalchemy.engine import make_url
from waiting import PATIENCE_SECONDS

from collective.maildrophost.engine.queue import (
    QueueError,
    Unheard,
    enqueue,
    open_queue,
)
from collective.maildrophost.engine.queue.postgresql import connection, database

CONNECT_SECONDS = 2
"""The shortest that libpq knows."""


def test_the_server_may_restart_between_two_transactions(
    breakable, broken_queue, hands
):
    send(broken_queue, hands)
    breakable.restart()
    send(broken_queue, hands)
    assert length(broken_queue) == 2


def test_a_pooler_without_its_server_is_reported_by_the_error_alone(
    queue, monkeypatch, caplog
):
    """It lets everybody in, and fails their first statement."""
    dies = "SELECT pg_terminate_backend(pg_backend_pid())"
    begin = database.Statement(database.text(dies))
    with monkeypatch.context() as patched:
        patched.setattr(queue.database, "begin_write", begin)
        with pytest.raises(QueueError), queue.write():
            raise AssertionError("it has begun")
    assert caplog.records == []
    with queue.write():
        pass


def test_a_transaction_that_the_server_ends_leaves_nothing(
    breakable, broken_queue, hands
):
    def write(tx):
        enqueue(tx, [hands.mail()], hands.now)
        breakable.restart()
        enqueue(tx, [hands.mail()], hands.now)

    with pytest.raises(QueueError), broken_queue.write() as tx:
        write(tx)
    assert length(broken_queue) == 0


def test_a_commit_whose_answer_is_lost_is_reported_as_one_that_may_have_happened(
    queue, proxied_url, proxy, hands
):
    over_the_wire = open_queue(proxied_url)
    proxy.lose_commit(b"INTO maildrop_message")
    with pytest.raises(Unheard, match="nobody knows whether it was committed: no conn"):
        send(over_the_wire, hands)
    assert proxy.lost.wait(PATIENCE_SECONDS)
    assert length(queue) == 1
    send(over_the_wire, hands)
    assert length(queue) == 2
    over_the_wire.close()


def test_what_fails_before_the_commit_has_not_happened(
    queue, proxied_url, proxy, hands
):
    def write():
        with over_the_wire.write() as tx:
            enqueue(tx, [hands.mail()], hands.now)
            proxy.drop()
            enqueue(tx, [hands.mail()], hands.now)

    over_the_wire = open_queue(proxied_url)
    with pytest.raises(QueueError) as caught:
        write()
    assert not isinstance(caught.value, Unheard)
    assert length(queue) == 0
    over_the_wire.close()


def test_a_stopped_server_is_reported_and_used_again_once_it_is_back(
    breakable, broken_queue, hands
):
    breakable.stop()
    with pytest.raises(QueueError, match="no connection to the server"):
        send(broken_queue, hands)
    breakable.start()
    send(broken_queue, hands)


def test_what_was_committed_survives_a_crash_of_the_server(
    breakable, broken_queue, hands
):
    send(broken_queue, hands)
    breakable.kill()
    breakable.start()
    assert length(broken_queue) == 1


@pytest.fixture
def small_disk(breakable):
    """A file system of 24 MB, for a database of that server."""
    path = breakable.directory / "disk"
    path.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", path], check=False
    )
    if mounted.returncode:
        pytest.skip("only root may mount a small disk")
    yield path
    subprocess.run(["umount", "--lazy", path], check=True)


def test_a_full_disk_of_the_server_is_reported_and_leaves_nothing_half_done(
    small_disk, breakable, hands
):
    url = breakable.url(breakable.create(disk=small_disk))
    queue = open_queue(url)
    ballast = small_disk / "ballast"
    free = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, free - 256 * 1024)
    text = f"Subject: large\n\n{'x' * 70}\n" * 4000
    large = replace(hands.mail(), content=os.urandom(len(text)))
    with (
        pytest.raises(QueueError, match="the disk of the server is full"),
        queue.write() as tx,
    ):
        enqueue(tx, [large] * 4, hands.now)
    assert length(queue) == 0
    ballast.unlink()
    with queue.write() as tx:
        enqueue(tx, [large] * 4, hands.now)
    assert length(queue) == 4
    queue.close()


@pytest.fixture
def hasty(monkeypatch):
    """While it is entered, a server that says nothing is soon given up."""

    @contextlib.contextmanager
    def hasty():
        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(connection, "ANSWER_SECONDS", 0.5)
            yield

    return hasty


def test_a_server_that_does_not_answer_is_not_waited_for_for_ever(
    breakable, hands, hasty
):
    url = f"{breakable.url(breakable.create())}&connect_timeout={CONNECT_SECONDS}"
    usual = connection.ANSWER_SECONDS
    with contextlib.closing(open_queue(url)) as queue:
        send(queue, hands)
        began = time.monotonic()
        with (
            hasty(),
            breakable.paused(),
            pytest.raises(QueueError, match=r"no answer within|timeout"),
        ):
            send(queue, hands)
        # The dead connection, then a new one, which libpq gives up after its own time.
        assert time.monotonic() - began < usual
        send(queue, hands)
        assert length(queue) >= 2


def one_wish():
    yield "to read"


def test_silence_is_reported_with_the_pooler_that_may_be_its_cause(monkeypatch):
    """PgBouncer lets everybody in, and then has them wait for a connection."""
    monkeypatch.setattr(connection, "ANSWER_SECONDS", -1.0)
    heard = connection._in_time(one_wish(), lambda: 0)
    next(heard)
    with pytest.raises(connection.NoAnswer, match=r"a pooler .* no connection left"):
        heard.send(0)


def test_a_connection_that_has_heard_nothing_is_asked_nothing_more(url, monkeypatch):
    """Not even for a rollback, which would take as long again."""
    arguments, options = (
        make_url(url).get_dialect()().create_connect_args(make_url(url))
    )
    with connection.open_connection(arguments, options) as silent:
        monkeypatch.setattr(connection, "ANSWER_SECONDS", 0.1)
        with pytest.raises(connection.NoAnswer):
            silent.execute("SELECT pg_sleep(60)")
        assert silent.closed


def test_a_large_mail_may_take_its_time_on_a_slow_wire(server, url, hands, monkeypatch):
    """Only silence counts: no daemon would ever get it, nor any mail behind it."""
    monkeypatch.setattr(connection, "ANSWER_SECONDS", 2.0)
    hands.send(hands.mail(octets=2**22))
    with Proxy(server.socket) as proxy:
        over = make_url(url).set(host="127.0.0.1", port=proxy.port, query={})
        with contextlib.closing(open_queue(over.render_as_string())) as queue:
            proxy.slow = 0.07  # for each of 64 portions
            began = time.monotonic()
            (claimed,) = replace(hands, queue=queue).claim()
            assert time.monotonic() - began > 2 * connection.ANSWER_SECONDS
    assert len(claimed.content) > 2**22


def test_a_large_mail_may_take_its_time_to_get_there(server, url, hands, monkeypatch):
    """The system has all of it long before the server: that is silent until then."""
    monkeypatch.setattr(connection, "ANSWER_SECONDS", 2.0)
    with Proxy(server.socket) as proxy:
        proxy.narrow()
        over = make_url(url).set(host="127.0.0.1", port=proxy.port, query={})
        with contextlib.closing(open_queue(over.render_as_string())) as queue:
            proxy.slow = 0.07
            began = time.monotonic()
            sender = replace(hands, queue=queue)
            sender.send(hands.mail(octets=2**22))
            assert time.monotonic() - began > 2 * connection.ANSWER_SECONDS
    assert length(hands.queue) == 1


def test_a_system_that_does_not_tell_what_is_to_go_is_no_trouble():
    reader, writer = os.pipe()  # nor does this one, of a pipe
    one = SimpleNamespace(pgconn=SimpleNamespace(socket=reader))
    assert connection.PatientConnection._octets_to_go(one) == 0
    os.close(reader)
    os.close(writer)


def test_a_cut_wire_is_noticed_and_mended(server, url, hands, hasty):
    with Proxy(server.socket) as proxy:
        over = make_url(url).set(host="127.0.0.1", port=proxy.port, query={})
        over = over.update_query_dict({"connect_timeout": "2"})
        queue = open_queue(over.render_as_string())
        send(queue, hands)
        proxy.cut()
        with hasty(), pytest.raises(QueueError):
            send(queue, hands)
        proxy.mend()
        send(queue, hands)
        proxy.drop()
        send(queue, hands)
        queue.close()


def test_a_connection_has_a_limit_to_its_making(url):
    """Else a machine that is gone holds a page for as long as the system tries."""
    with contextlib.closing(open_queue(url)) as queue, queue.read() as tx:
        made_with = tx.connection.driver_connection.info.get_parameters()
    assert made_with["connect_timeout"] == str(connection.CONNECT_SECONDS)


def test_the_system_gives_up_a_wire_that_is_dead_without_a_word(proxied_url):
    """Whoever listens waits in the driver, which does not look at the time."""

    async def limits(url):
        async with await connection.connect_to_listen(url) as listening:
            with socket.socket(fileno=os.dup(listening.pgconn.socket)) as wire:
                return [
                    wire.getsockopt(socket.IPPROTO_TCP, getattr(socket, name))
                    for name in (
                        *("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT"),
                        "TCP_USER_TIMEOUT",
                    )
                ]

    url = connection.with_defaults(make_url(proxied_url))
    idle, between, times, unheard = asyncio.run(limits(url))
    assert idle + between * times == 40
    assert unheard == 1000 * connection.ANSWER_SECONDS
