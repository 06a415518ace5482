"""A queue on PostgreSQL that opens, or says why it does not."""

from __future__ import annotations

import contextlib
import traceback

import pytest
from engine.queue.mails import length, send
from sqlalchemy.engine import make_url

from collective.maildrophost.engine.queue import (
    QueueError,
    enqueue,
    list_messages,
    open_queue,
)

PASSWORD = "-".join(["sesame", "7"])  # a traceback quotes the source


@pytest.fixture
def encoded(server):
    """Makes a database in the given encoding; its URL."""
    made = []

    def make(encoding):
        name = f"in_{encoding.lower()}"
        server.execute(
            f"CREATE DATABASE {name} OWNER maildrop TEMPLATE template0 "
            f"ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'"
        )
        made.append(name)
        return server.url(name)

    yield make
    for name in made:
        server.drop(name)


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_that_cannot_hold_every_mail_is_refused(encoded, encoding):
    with pytest.raises(QueueError, match=f"encoding is {encoding}: .*ENCODING 'UTF8'"):
        open_queue(encoded(encoding))


def test_the_encoding_in_a_clients_environment_does_not_limit_what_can_be_written(
    url, monkeypatch, make_mail
):
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    with contextlib.closing(open_queue(url)) as queue:
        with queue.write() as tx:
            (id,) = enqueue(tx, [make_mail(subject="日本")], 0.0)
        with queue.read() as tx:
            (found,) = list_messages(tx)
    assert (found.id, found.subject) == (id, "日本")


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("nobody_there", r"no connection to the server: is it up"),
        ("no_database", r"refuses the connection.*\"nothing\" does not exist"),
        ("no_user", r"refuses the connection.*\"stranger\" does not"),
        (
            "read_only",
            r": it is read-only: if it is a standby, .* default_transaction_read",
        ),
        ("no_driver", r"sqlite:////PATH or postgresql\+psycopg://"),
    ],
)
def test_a_queue_that_does_not_open_says_why(server, url, kind, words):
    database = make_url(url).database
    if kind == "read_only":
        server.execute(f"ALTER DATABASE {database} SET default_transaction_read_only=1")
    wrong = {
        "read_only": make_url(url),
        "nobody_there": make_url(url).set(query={"host": "/nowhere"}),
        "no_database": make_url(url).set(database="nothing"),
        "no_user": make_url(url).set(username="stranger"),
        "no_driver": make_url(url).set(drivername="postgresql+psycopg2"),
    }[kind]
    with pytest.raises(QueueError, match=words) as caught:
        open_queue(wrong.render_as_string(hide_password=False))
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("query", "words"),
    [("port=x", "non-integer port"), ("host=a,b&port=1,2,3", "hosts and ports")],
)
def test_ports_that_do_not_match_the_hosts_are_an_error_of_the_queue(query, words):
    with pytest.raises(QueueError, match=words) as caught:
        open_queue(f"postgresql+psycopg://me:{PASSWORD}@localhost/mail?{query}")
    assert PASSWORD not in str(caught.value)


def test_no_error_tells_a_password(url):
    secret = make_url(url).set(password=PASSWORD, database="nothing")
    with pytest.raises(QueueError) as caught:
        open_queue(secret.render_as_string(hide_password=False))
    told = "".join(traceback.format_exception(caught.value))
    assert PASSWORD not in told + repr(caught.value)


def test_the_first_host_that_can_write_is_used(breakable, server, hands):
    """A URL that names two hosts goes on with the other one after a failover."""
    name = server.create()
    breakable.execute(f"CREATE DATABASE {name} OWNER maildrop")
    breakable.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    try:
        queue = open_queue(
            f"postgresql+psycopg://maildrop@/{name}"
            f"?host={breakable.host}:5432&host={server.host}:5432"
        )
        send(queue, hands)
        queue.close()
        queue = open_queue(server.url(name))
        assert length(queue) == 1
        queue.close()
    finally:
        server.drop(name)


def test_settings_of_the_server_that_can_cost_all_mail_are_warned_of(breakable):
    url = breakable.url(breakable.create())
    assert unsafe(url) == ["fsync"]
    breakable.stop()
    breakable.start(fsync="on", full_page_writes="off")
    assert unsafe(url) == ["full_page_writes"]
    breakable.stop()
    breakable.start(fsync="on")
    assert unsafe(url) == []


def unsafe(url):
    with contextlib.closing(open_queue(url)) as queue, queue.read() as tx:
        return [risk.split()[4] for risk in queue.database.risks(tx)]
