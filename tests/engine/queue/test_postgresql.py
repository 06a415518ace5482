"""A queue on PostgreSQL: its roles, its errors, connections that come back."""

from __future__ import annotations

import contextlib
import gc
import os
import subprocess
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from engine.queue.versions import TO_THE_FIRST_VERSION
from servers.postgresql import PostgreSQL
from servers.proxy import Proxy
from sqlalchemy.engine import make_url
from waiting import wait_until

from collective.maildrophost.engine.queue import (
    QueueError,
    Refused,
    State,
    enqueue,
    hold_messages,
    list_messages,
    open_queue,
    postgresql,
    postgresqlconnection,
    prune,
    queue_length,
    settle,
    stats,
)
from collective.maildrophost.engine.verdict import Outcome

PASSWORD = "-".join(["sesame", "7"])  # a traceback quotes the source
SCALING = Path(__file__).parents[3] / "docs" / "scaling.md"


@pytest.fixture
def url(postgresql_url):
    return postgresql_url


@pytest.fixture
def server(request):
    return request.getfixturevalue("postgresql")


@pytest.fixture
def breakable():
    """A server that a test may stop, kill and pause."""
    with PostgreSQL(max_connections=8, superuser_reserved_connections=3) as server:
        yield server


@pytest.fixture
def broken_queue(breakable):
    queue = open_queue(breakable.url(breakable.create()))
    yield queue
    queue.close()


def length(queue):
    with queue.read() as tx:
        return queue_length(tx)


def send(queue, hands):
    with queue.write() as tx:
        enqueue(tx, [hands.mail()], hands.now)


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


def test_the_environment_of_a_client_does_not_say_what_can_be_written(
    url, monkeypatch, make_mail
):
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    with contextlib.closing(open_queue(url)) as queue:
        with queue.write() as tx:
            (id,) = enqueue(tx, [make_mail(subject="日本")], 0.0)
        with queue.read() as tx:
            (found,) = list_messages(tx)
    assert (found.id, found.subject) == (id, "日本")


def test_a_reader_sees_one_state_of_the_queue(hands, queue):
    hands.send()
    with queue.read() as tx:
        assert queue_length(tx) == 1
        hands.send()
        assert queue_length(tx) == 1
    assert length(queue) == 2


def test_a_reader_changes_nothing(hands, queue):
    with queue.read() as tx, pytest.raises(Exception, match="read-only"):
        enqueue(tx, [hands.mail()], hands.now)


@pytest.mark.parametrize(
    ("set_to", "is_then"),
    [("off", "on"), ("local", "local"), ("on", "on"), ("remote_apply", "remote_apply")],
)
def test_every_commit_is_on_disk_whatever_the_database_is_set_to(
    server, url, set_to, is_then
):
    name = make_url(url).database
    server.execute(f"ALTER DATABASE {name} SET synchronous_commit = {set_to}")
    queue = open_queue(url)
    with queue.write() as tx:
        assert tx.exec_driver_sql("SHOW synchronous_commit").scalar() == is_then
    queue.close()


def test_verdicts_find_their_message_where_a_session_tells_few_digits(
    server, url, hands
):
    name = make_url(url).database
    server.execute(f"ALTER DATABASE {name} SET extra_float_digits = 0")
    with contextlib.closing(open_queue(url)) as queue:
        theirs = type(hands)(queue, now=1_764_408_275.1234567)
        (id,) = theirs.send()
        theirs.settle(theirs.claim()[0], Outcome.SENT)
        assert theirs.message(id).state is State.SENT


def test_nothing_is_set_for_a_session(queue):
    """The next transaction may have another one, behind PgBouncer."""
    with queue.write() as tx:
        assert tx.exec_driver_sql("SHOW lock_timeout").scalar() == "20s"
        session = tx.connection.dbapi_connection
        assert session.prepare_threshold is None
    assert session.execute("SHOW lock_timeout").fetchone() == ("0",)
    held = "SELECT count(*) FROM pg_prepared_statements"
    assert session.execute(held).fetchone() == (0,)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("nobody_there", r"no connection to the server: is it up"),
        ("no_database", r"refuses the connection.*\"nothing\" does not exist"),
        ("no_user", r"refuses the connection.*\"stranger\" does not"),
        ("standby", r": it is read-only: a standby\? Name all hosts"),
        ("no_driver", r"sqlite:////PATH or postgresql\+psycopg://"),
    ],
)
def test_a_queue_that_does_not_open_says_why(server, url, kind, words):
    database = make_url(url).database
    if kind == "standby":
        server.execute(f"ALTER DATABASE {database} SET default_transaction_read_only=1")
    wrong = {
        "standby": make_url(url),
        "nobody_there": make_url(url).set(query={"host": "/nowhere"}),
        "no_database": make_url(url).set(database="nothing"),
        "no_user": make_url(url).set(username="stranger"),
        "no_driver": make_url(url).set(drivername="postgresql+psycopg2"),
    }[kind]
    with pytest.raises(QueueError, match=words):
        open_queue(wrong.render_as_string(hide_password=False))


def test_no_error_tells_a_password(url):
    secret = make_url(url).set(password=PASSWORD, database="nothing")
    with pytest.raises(QueueError) as caught:
        open_queue(secret.render_as_string(hide_password=False))
    told = "".join(traceback.format_exception(caught.value))
    assert PASSWORD not in told + repr(caught.value)


def test_no_error_quotes_the_mail(hands, queue):
    def write(tx):
        tx.exec_driver_sql("ALTER TABLE maildrop_message ADD CHECK (subject = '')")
        enqueue(tx, [hands.mail(subject=PASSWORD)], hands.now)

    with pytest.raises(QueueError) as caught:
        hands.do(write)
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))
    hands.send()


def test_words_that_no_text_can_hold_are_refused(hands, queue):
    """So that the daemon tries these verdicts alone, and then without words."""
    hands.send()
    (claimed,) = hands.claim()
    settlement = hands.settlement(claimed, Outcome.SENT)
    ((position, verdict),) = settlement.verdicts
    bad = type(verdict)(verdict.outcome, "nul \0 in it")
    spoilt = replace(settlement, verdicts=((position, bad),))
    with pytest.raises(Refused):
        hands.do(settle, [spoilt], hands.now)


def test_who_waits_for_a_lock_too_long_is_told(hands, queue, monkeypatch):
    hands.send()
    hurried = postgresql.BEGIN_WRITE._statement.text.replace("20s", "50ms")
    begin = postgresql.Prepared(postgresql.text(hurried))
    with queue.write() as tx:
        tx.exec_driver_sql("SELECT * FROM maildrop_schedule FOR UPDATE")
        monkeypatch.setattr(queue.database, "begin_write", begin)
        with pytest.raises(QueueError, match="another transaction kept a lock"):
            hands.do(
                lambda other: other.exec_driver_sql("DELETE FROM maildrop_message")
            )


def test_one_of_two_in_a_deadlock_is_told_and_the_other_goes_on(hands, queue):
    ids = hands.send(hands.mail(), hands.mail(subject="other"))
    lock = "SELECT 1 FROM maildrop_schedule WHERE message_id = {} FOR UPDATE"
    both_have_one = threading.Barrier(2)

    def take(mine, others):
        try:
            with queue.write() as tx:
                tx.exec_driver_sql(lock.format(mine))
                both_have_one.wait(10)
                tx.exec_driver_sql(lock.format(others))
                hold_messages(tx, [others])
        except QueueError as error:
            return str(error)
        return others

    with ThreadPoolExecutor(2) as threads:
        ends = list(threads.map(take, ids, reversed(ids)))
    (told,) = [each for each in ends if each not in ids]
    assert "another transaction came first" in told
    states = {id: hands.message(id).state for id in ids}
    assert list(states.values()).count(State.HELD) == 1
    assert states[next(each for each in ends if each in ids)] is State.HELD


def test_a_database_that_serializes_by_itself_refuses_nobody(server, url, hands):
    database = make_url(url).database
    server.execute(
        f"ALTER DATABASE {database} SET default_transaction_isolation = serializable"
    )
    queue = open_queue(url)
    theirs = type(hands)(queue)
    ids = theirs.send(*[hands.mail(subject=str(number)) for number in range(20)])
    with ThreadPoolExecutor(4) as threads:
        claims = list(threads.map(lambda name: theirs.claim(name, limit=5), "abcd"))
    assert sorted(each.id for part in claims for each in part) == sorted(map(int, ids))
    queue.close()


def test_two_who_prune_do_not_wait_for_each_other(hands, queue):
    hands.send(hands.mail())
    hands.settle(hands.claim()[0], Outcome.SENT)
    later = hands.now + 40 * 86400
    with queue.write() as one, queue.write() as two:
        assert prune(one, later, 30, 0) == 1
        assert prune(two, later, 30, 0) == 0


# Connections


def test_the_server_may_restart_between_two_transactions(
    breakable, broken_queue, hands
):
    send(broken_queue, hands)
    breakable.restart()
    send(broken_queue, hands)
    assert length(broken_queue) == 2


def test_a_pooler_without_its_server_is_told_by_the_error_alone(
    queue, monkeypatch, caplog
):
    """It lets everybody in, and fails their first statement."""
    dies = "SELECT pg_terminate_backend(pg_backend_pid())"
    begin = postgresql.Prepared(postgresql.text(dies))
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


def test_a_stopped_server_is_told_and_come_back_to(breakable, broken_queue, hands):
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


def test_a_full_disk_of_the_server_is_told_and_nothing_is_half_done(
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


def test_a_server_that_does_not_answer_is_not_waited_for_for_ever(
    breakable, broken_queue, hands, monkeypatch
):
    send(broken_queue, hands)
    monkeypatch.setattr(postgresqlconnection, "ANSWER_SECONDS", 0.5)
    began = time.monotonic()
    with (
        breakable.paused(),
        pytest.raises(QueueError, match=r"no answer within|timeout"),
    ):
        send(broken_queue, hands)
    # The dead connection, then a new one, which libpq gives up after its own time.
    assert time.monotonic() - began < postgresqlconnection.CONNECT_SECONDS + 15
    send(broken_queue, hands)
    assert length(broken_queue) >= 2


def test_a_cut_wire_is_noticed_and_mended(server, url, hands, monkeypatch):
    monkeypatch.setattr(postgresqlconnection, "ANSWER_SECONDS", 0.5)
    with Proxy(server.socket) as proxy:
        over = make_url(url).set(host="127.0.0.1", port=proxy.port, query={})
        over = over.update_query_dict({"connect_timeout": "2"})
        queue = open_queue(over.render_as_string())
        send(queue, hands)
        proxy.cut()
        with pytest.raises(QueueError):
            send(queue, hands)
        proxy.mend()
        send(queue, hands)
        proxy.drop()
        send(queue, hands)
        queue.close()


def test_too_many_connections_are_told(breakable, broken_queue, hands):
    url = make_url(broken_queue.url)
    where = {"host": url.query["host"], "user": "maildrop", "dbname": url.database}
    broken_queue.close()
    with ExitStack() as others:
        with contextlib.suppress(psycopg.OperationalError):
            while True:
                others.enter_context(psycopg.connect(**where))
        with pytest.raises(QueueError, match="no connection left: raise max_conn"):
            send(broken_queue, hands)
    send(broken_queue, hands)


def test_a_process_keeps_few_connections(server, url, queue, hands):
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


def test_a_fork_shares_no_connection(hands, queue):
    hands.send()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            hands.send()
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    hands.send()
    assert length(queue) == 3


# Roles


def grants():
    """The statements of docs/scaling.md, as they stand there."""
    block = SCALING.read_text().partition("<!-- grants -->")[2]
    return block.partition("```sql")[2].partition("```")[0]


@pytest.fixture
def user_url(server, url):
    """A role that may use the tables, and not change them."""
    database = make_url(url).database
    role = f"user_{database}"
    server.execute(f"CREATE ROLE {role} LOGIN")
    statements = grants().replace("maildrop_user", role)
    server.execute(
        statements.replace("DATABASE maildrop", f"DATABASE {database}"), database
    )
    yield server.url(database, role)
    server.execute(f"DROP OWNED BY {role}", database)
    server.execute(f"DROP ROLE {role}")


def test_a_role_with_the_documented_rights_does_all_daily_work(user_url, hands):
    queue = open_queue(user_url)
    user = type(hands)(queue)
    user.register("one")
    (id,) = user.send()
    user.settle(user.claim()[0], Outcome.SENT)
    assert user.do(stats, user.now).states
    user.do(prune, user.now + 40 * 86400, 30, 0)
    assert user.message(id) is None
    queue.close()


def test_that_role_can_change_no_table(user_url, hands):
    queue = open_queue(user_url)
    with (
        pytest.raises(QueueError, match="lacks a right: see the grants"),
        queue.write() as tx,
    ):
        tx.exec_driver_sql("ALTER TABLE maildrop_message ADD COLUMN more INTEGER")
    with queue.write() as tx, pytest.raises(Exception, match="permission denied"):
        tx.exec_driver_sql("CREATE TABLE more (id INTEGER)")
    queue.close()


def test_an_old_schema_is_not_changed_by_that_role_and_it_says_who_must(
    user_url, hands, queue
):
    hands.do(lambda tx: tx.exec_driver_sql("UPDATE maildrop_schema SET version = 1"))
    with pytest.raises(QueueError, match="lacks a right"):
        open_queue(user_url)


def test_a_dead_client_does_not_keep_its_locks(queue, hands):
    with queue.write() as tx:
        limit = tx.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar()
    assert limit == "1min"


def test_often_changed_tables_are_vacuumed_often(queue):
    with queue.read() as tx:
        found = tx.exec_driver_sql(
            "SELECT reloptions FROM pg_class WHERE relname = 'maildrop_schedule'"
        ).scalar()
    assert "autovacuum_vacuum_scale_factor=0.0" in found


def parameters(queue):
    """How PostgreSQL keeps each table."""
    with queue.read() as tx:
        found = tx.exec_driver_sql(
            "SELECT relname, reloptions FROM pg_class "
            "WHERE relkind = 'r' AND relname LIKE 'maildrop%%'"
        )
        return {name: set(options or ()) for name, options in found}


def test_upgraded_tables_are_kept_as_new_ones_are(queue):
    new = parameters(queue)
    with queue.write() as tx:
        for statement in TO_THE_FIRST_VERSION:
            tx.exec_driver_sql(statement)
    open_queue(queue.url).close()
    assert parameters(queue) == new


def test_rings_that_a_pooler_brings_to_somebody_else_are_not_kept(queue, hands):
    with queue.write() as tx:
        session = tx.connection.dbapi_connection
    session.execute("LISTEN maildrop")
    hands.send()
    hands.send()
    assert not [each for each in gc.get_objects() if isinstance(each, psycopg.Notify)]


def test_ringing_belongs_to_the_transaction(queue, hands):
    heard = []
    listening = threading.Event()
    url = make_url(queue.url)

    def listen():
        with psycopg.connect(
            host=url.query["host"],
            user="maildrop",
            dbname=url.database,
            autocommit=True,
        ) as connection:
            connection.execute("LISTEN maildrop")
            listening.set()
            for each in connection.notifies(timeout=20, stop_after=1):
                heard.append((each, length(queue)))

    thread = threading.Thread(target=listen)
    thread.start()
    listening.wait(20)
    with pytest.raises(ZeroDivisionError), queue.write() as tx:
        assert len(enqueue(tx, [hands.mail()], hands.now)) / 0
    with queue.write() as tx:
        enqueue(tx, [hands.mail()], hands.now)
        assert not heard
    wait_until(lambda: heard, 20, "the ring")
    thread.join()
    assert heard[0][1] == 1
