"""What is said, and advised, when PostgreSQL does not serve us."""

from __future__ import annotations

from contextlib import closing

import pytest
from servers.certificates import Certificates
from servers.doorkeeper import Doorkeeper, asks_for_a_password, hangs_up, refuses, shows
from sqlalchemy.engine import make_url
from waiting import wait_until

from collective.maildrophost.engine.queue import QueueError, open_queue

TLS = ": TLS with the server is not as MAILDROP_QUEUE wants it: check sslmode, "
REFUSED = ": the server refuses the connection: check database, user, password"
UNREACHABLE = ": no connection to the server: is it up, are host and port right\\?"
ENDING_MS = 30_000
"""At most, until it is seen to be gone."""


def door(meets, *options):
    words = "&".join(options)
    with (
        Doorkeeper(meets) as there,
        closing(
            open_queue(f"postgresql+psycopg://me@127.0.0.1:{there.port}/x?{words}")
        ),
    ):
        pass


@pytest.mark.parametrize(
    ("names", "authority", "words"),
    [
        (["127.0.0.1"], "another", "certificate verify failed"),
        (["db.example.org"], "its own", "does not match host name"),
        (["127.0.0.1"], "none", "root certificate file .* does not exist"),
    ],
)
def test_a_certificate_that_does_not_verify_is_reported_as_such(
    names, authority, words
):
    with Certificates(*names) as its, Certificates() as another:
        files = {"its own": its.ca_file, "another": another.ca_file, "none": "/no/ca"}
        verified = ("sslmode=verify-full", f"sslrootcert={files[authority]}")
        with pytest.raises(QueueError, match=f"{TLS}.*{words}"):
            door(shows(its.server_context), *verified)


def test_a_server_without_tls_is_reported_as_such(proxied_url):
    with pytest.raises(QueueError, match=f"{TLS}.*does not support SSL"):
        open_queue(f"{proxied_url}?sslmode=require")


def test_an_sslmode_that_there_is_not_is_reported_as_such(postgresql_url):
    with pytest.raises(QueueError, match=f"{TLS}.*invalid sslmode value"):
        open_queue(f"{postgresql_url}&sslmode=verified")


def test_a_server_that_hangs_up_during_tls_counts_as_not_up():
    with pytest.raises(QueueError, match=f"{UNREACHABLE}.*SSL"):
        door(hangs_up, "sslmode=require")


def test_a_missing_password_is_reported_as_such():
    with pytest.raises(QueueError, match=f"{REFUSED}.*no password supplied"):
        door(asks_for_a_password, "passfile=/no/file", "sslmode=disable")


@pytest.mark.parametrize(
    ("words", "code", "advice"),
    [
        ("the database system is starting up", "57P03", "is starting or stopping"),
        ("the database system is shutting down", "57P03", "is starting or stopping"),
        ("the database system is in recovery mode", "57P03", "is starting or stopping"),
        ("sorry, too many clients already", "53300", "has no connection left: raise"),
        ('too many connections for role "me"', "53300", "or the limit of this role"),
        ("no more connections allowed (max_client_conn)", "08P01", "has no connection"),
        ('role "me" does not exist', "28000", "check database, user, password"),
    ],
)
def test_a_server_that_lets_nobody_in_for_now_is_told_apart_from_one_that_refuses(
    words, code, advice
):
    with pytest.raises(QueueError, match=f": [^(]*{advice}[^(]*\\(.*FATAL: .*"):
        door(refuses(words, code), "sslmode=disable")


@pytest.fixture
def stranger(postgresql, postgresql_url):
    """A role that may log in, and nothing else."""
    database = make_url(postgresql_url).database
    role = f"stranger_{database}"
    postgresql.execute(f"CREATE ROLE {role} LOGIN")
    postgresql.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC", database)
    yield postgresql.url(database, role)
    postgresql.execute(f"DROP ROLE {role}")


def test_a_schema_that_may_not_be_used_is_reported_with_what_grants_it(stranger):
    with pytest.raises(
        QueueError, match="no schema of its search_path: see the grants"
    ):
        open_queue(stranger)


def test_a_connection_that_somebody_has_ended_need_not_be_the_end_of_the_server(
    postgresql, postgresql_url
):
    with (
        closing(open_queue(postgresql_url)) as queue,
        pytest.raises(QueueError, match="or somebody has ended this connection"),
    ):
        _is_ended(queue, postgresql)


def test_a_transaction_that_times_out_is_reported_and_the_next_one_works(
    postgresql, postgresql_url, caplog
):
    with closing(open_queue(postgresql_url)) as queue:
        with pytest.raises(QueueError, match="transaction_timeout is too short: raise"):
            _takes_its_time(queue, postgresql)
        with queue.write() as tx:
            tx.exec_driver_sql("SELECT 1")
    assert not caplog.records


def test_a_statement_that_times_out_is_reported(postgresql_url):
    with closing(open_queue(postgresql_url)) as queue:
        with pytest.raises(QueueError, match="statement_timeout is too short: raise"):
            _asks_for_much(queue)
        with queue.write() as tx:
            tx.exec_driver_sql("SELECT 1")


def _asks_for_much(queue):
    with queue.write() as tx:
        tx.exec_driver_sql("SET LOCAL statement_timeout = '50ms'")
        tx.exec_driver_sql("SELECT pg_sleep(60)")


def _takes_its_time(queue, server):
    with queue.write() as tx:
        pid = tx.exec_driver_sql("SELECT pg_backend_pid()").scalar()
        session = f"SELECT 1 FROM pg_stat_activity WHERE pid = {pid}"
        # For itself alone: on a busy machine the others may need as long.
        tx.exec_driver_sql("SET LOCAL transaction_timeout = '50ms'")
        wait_until(lambda: server.execute(session) == [], what="the end of the session")
        tx.exec_driver_sql("SELECT 1")


def _is_ended(queue, server):
    with queue.write() as tx:
        pid = tx.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        server.execute(f"SELECT pg_terminate_backend({pid}, {ENDING_MS})")
        tx.exec_driver_sql("SELECT 1")
