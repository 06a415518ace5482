"""How many connections to the server a process has, and what is said of too many."""

from __future__ import annotations

import contextlib
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import psycopg
import pytest
from engine.queue.mails import length, send
from sqlalchemy.engine import make_url
from waiting import wait_until

from collective.maildrophost.engine.delivery import bookkeeper
from collective.maildrophost.engine.queue import QueueError


def wait_until_all_have_left(server):
    """It takes its time to end a connection that was closed."""
    count = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'maildrop'"
    wait_until(lambda: server.execute(count) == [(0,)], what="the end of the others")


def test_a_server_without_a_free_connection_is_reported(breakable, broken_queue, hands):
    url = make_url(broken_queue.url)
    where = {"host": url.query["host"], "user": "maildrop", "dbname": url.database}
    broken_queue.close()
    wait_until_all_have_left(breakable)
    with ExitStack() as others:
        with contextlib.suppress(psycopg.OperationalError):
            while True:
                others.enter_context(psycopg.connect(**where))
        with pytest.raises(QueueError, match="no connection left: raise max_conn"):
            send(broken_queue, hands)
    wait_until_all_have_left(breakable)
    send(broken_queue, hands)


def test_a_process_keeps_few_connections(server, url, hands):
    def work(_):
        hands.send()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(64)))
    count = (
        "SELECT count(*) FROM pg_stat_activity "
        f"WHERE datname = '{make_url(url).database}'"
    )
    # The server takes its time to end one that was closed.
    wait_until(lambda: server.execute(count)[0][0] <= 4, what="the end of the others")


def test_a_thread_that_gets_no_connection_of_its_process_is_told_why(
    queue, monkeypatch
):
    monkeypatch.setattr(queue._engine.pool, "_timeout", 0)

    def use_all(users):
        for _ in range(20):
            users.enter_context(queue.read())

    told = pytest.raises(QueueError, match="too many of its users wait")
    with ExitStack() as users, told:
        use_all(users)


def test_a_fork_shares_no_connection_and_ends_none(hands, queue):
    def session():
        hands.send()
        with queue.read() as tx:
            return tx.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()

    parents = session()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            status = int(session() == parents)
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert session() == parents
    assert length(queue) == 3


def test_a_daemon_forks_while_it_has_no_connection(server, queue, hands):
    """In its other process a session would outlive it, and its locks with it."""
    hands.send()
    database = make_url(queue.url).database
    sessions = f"SELECT 1 FROM pg_stat_activity WHERE datname = '{database}'"
    assert server.execute(sessions)
    with bookkeeper(queue):
        # The server takes its time to end one that was closed.
        wait_until(lambda: not server.execute(sessions), what="its end")
