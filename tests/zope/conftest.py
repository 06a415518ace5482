"""A ZODB with a Maildrop Host, and the queue that it writes to."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import datamanagers
import pytest
import transaction
import ZODB
import ZODB.FileStorage
from Products.MailHost.MailHost import MailHostError
from waiting import PATIENCE_SECONDS

from collective.maildrophost import productconfig
from collective.maildrophost.engine.queue import content, list_messages
from collective.maildrophost.host import MaildropHost
from collective.maildrophost.indoubt import resolver
from collective.maildrophost.queues import queue_at

MAIL = "Subject: {subject}\n\nhello\n"


@pytest.fixture(autouse=True)
def clean_transaction(monkeypatch):
    """No test begins with the transaction, or the environment, of another."""
    monkeypatch.setattr(productconfig, "_added", {})
    transaction.abort()
    yield
    transaction.abort()


@pytest.fixture(autouse=True)
def looks_without_zope(monkeypatch):
    """What looks where no Zope has started: here only when a test says so."""
    looks = resolver._without_zope
    nobody = SimpleNamespace(begin=lambda: None)
    monkeypatch.setattr(resolver, "_without_zope", nobody)
    return looks


@pytest.fixture
def queue_url(request):
    """Where the queue is, "" where it is without being told.

    Tests ask for PostgreSQL by an indirect parameter.
    """
    if getattr(request, "param", "sqlite") == "postgresql":
        return request.getfixturevalue("postgresql_url")
    return ""


@pytest.fixture
def configuration_file(tmp_path, monkeypatch, queue_url):
    """The configuration that is the default; its directory is the daemon's home."""
    home = tmp_path / "maildrop"
    home.mkdir()
    path = home / "maildrop.conf"
    queue = f'MAILDROP_QUEUE="{queue_url}"\n' if queue_url else ""
    path.write_text(f'MAILDROP_HOME="{home}"\n{queue}')
    monkeypatch.setenv(productconfig.ENVIRONMENT, str(path))
    return path


@pytest.fixture
def configuration(configuration_file):
    return productconfig.configuration(productconfig.DEFAULT)


@pytest.fixture
def queue(configuration):
    opened = queue_at(configuration.queue)
    yield opened
    opened.close()


@pytest.fixture
def mails(queue):
    """The messages in the queue, the oldest due first; `mails(state)` for one state."""

    def in_queue(state=None):
        with queue.read() as tx:
            return list_messages(tx, state)

    return in_queue


@pytest.fixture
def subjects(mails):
    """What is in the queue: `(subject, state)`, in the order it was sent."""

    def in_queue():
        found = sorted(mails(), key=lambda message: int(message.id))
        return [(message.subject, message.state.value) for message in found]

    return in_queue


@pytest.fixture
def refused(mails):
    """A context whose mail is refused for such a reason; none of it is queued."""

    @contextmanager
    def refused(reason=None):
        with pytest.raises(MailHostError, match=reason):
            yield
        transaction.commit()
        assert mails() == []

    return refused


@pytest.fixture
def content_of(queue):
    """The content of a message, byte for byte."""

    def read(message):
        with queue.read() as tx:
            return content(tx, message.id)

    return read


@pytest.fixture
def host(configuration_file):
    """A Maildrop Host that is in no database."""
    return MaildropHost()


def send(host, subject="hello", **options):
    """Send one mail that is known by its subject."""
    addresses = {"mto": "to@example.org", "mfrom": "from@example.org"}
    host.send(MAIL.format(subject=subject), **{**addresses, **options})


@pytest.fixture(name="send")
def send_fixture():
    return send


@pytest.fixture
def database_file(tmp_path):
    return tmp_path / "Data.fs"


@pytest.fixture
def database(database_file, configuration_file):
    """A FileStorage with `counter` and a Maildrop Host called `host` in its root."""
    db = ZODB.DB(ZODB.FileStorage.FileStorage(str(database_file)))
    with db.transaction() as connection:
        connection.root.counter = 0
        connection.root.host = MaildropHost()
    yield db
    transaction.abort()
    db.close()


@pytest.fixture
def root(database):
    """The root of the database, in the transaction of this thread."""
    connection = database.open()
    yield connection.root
    transaction.abort()
    connection.close()


@pytest.fixture
def in_threads():
    """Runs `work(number)` in several threads at once; raises what one of them did."""

    def run(count, work):
        errors = []

        def body(number):
            try:
                work(number)
            except BaseException as error:
                errors.append(error)
            finally:
                transaction.abort()

        threads = [threading.Thread(target=body, args=(n,)) for n in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE_SECONDS)
        if errors:
            raise errors[0]
        assert not any(thread.is_alive() for thread in threads)

    return run


@pytest.fixture
def in_process():
    """Starts a script in a fresh interpreter that imports what this one does."""
    started = []

    def start(script, *arguments, **options):
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, str(script), *map(str, arguments)]
        process = subprocess.Popen(command, env=environment, **options)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def join():
    """Joins a data manager: `join(sort_key, tpc_vote=function)`."""
    return datamanagers.join


@pytest.fixture
def file_size_limit():
    """A context in which no file grows beyond so many bytes: a full disk, for root."""
    import resource

    @contextmanager
    def limited(size):
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return limited


@pytest.fixture
def scripts():
    return Path(__file__).parent / "scripts"


@pytest.fixture
def sent(mails):
    """Commits, and returns the one mail that was queued."""

    def one():
        transaction.commit()
        (message,) = mails()
        return message

    return one
