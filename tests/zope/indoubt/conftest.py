"""Databases of every kind; processes that die in the course of a commit."""

from __future__ import annotations

import signal
from contextlib import ExitStack, contextmanager

import pytest
import transaction
import ZEO
import ZODB.config
from datamanagers import AFTER_ZODB
from waiting import PATIENCE_SECONDS

from collective.maildrophost.engine.errors import MaildropError
from collective.maildrophost.host import MaildropHost
from collective.maildrophost.indoubt import doubt
from collective.maildrophost.indoubt.resolver import Resolver
from collective.maildrophost.transaction import SpoolDataManager

FILE = """\
<zodb main>
  <filestorage>
    path {folder}/Data.fs
  </filestorage>
</zodb>
"""
TWO = (
    FILE
    + """\
<zodb other>
  <filestorage>
    path {folder}/Other.fs
  </filestorage>
</zodb>
"""
)
CLIENT = """\
<zodb main>
  <zeoclient>
    server {address}
  </zeoclient>
</zodb>
"""
RELSTORAGE = """\
%import relstorage
<zodb main>
  <relstorage>
    keep-history {history}
    <sqlite3>
      data-dir {folder}/relstorage
    </sqlite3>
  </relstorage>
</zodb>
"""


@contextmanager
def configured(kind, folder):
    """The databases of a zope.conf, with a server where they need one."""
    if kind == "zeo":
        (host, port), stop = ZEO.server(str(folder / "Data.fs"), threaded=True)
        try:
            yield CLIENT.format(address=f"{host}:{port}")
        finally:
            stop()
        return
    text = {
        "file": FILE,
        "two": TWO,
        "history": RELSTORAGE,
        "history-free": RELSTORAGE,
    }[kind]
    yield text.format(folder=folder, history="true" if kind == "history" else "false")


class Site:
    """A ZODB with a Maildrop Host and a counter in each of its databases."""

    def __init__(self, text, folder, url):
        self._text = text
        self._url = url
        self.file = folder / "databases.conf"
        self.file.write_text(text)
        with self.opened() as database:
            for name, each in database.databases.items():
                with each.transaction() as connection:
                    connection.root.counter = 0
                    if name == "main":
                        connection.root.host = MaildropHost()

    @contextmanager
    def opened(self):
        database = ZODB.config.databaseFromString(self._text)
        try:
            yield database
        finally:
            transaction.abort()
            for each in set(database.databases.values()):
                each.close()

    def count(self):
        """Let another transaction change something."""
        with self.opened() as database, database.transaction() as connection:
            connection.root.counter += 1

    def pack(self):
        with self.opened() as database:
            database.pack()

    def look(self):
        """What the next start of Zope does about batches."""
        with self.opened() as database:
            Resolver(database.databases, lambda: [self._url]).look()


@pytest.fixture
def look(database, queue):
    """What the running Zope does every so often."""
    return Resolver(database.databases, lambda: [queue.url]).look


@pytest.fixture(autouse=True)
def nothing_to_settle(request, monkeypatch):
    """One look decides, except in the tests of how long it waits."""
    if "settling" not in request.keywords:
        monkeypatch.setattr(doubt, "SETTLE_SECONDS", 0.0)


@pytest.fixture
def make_site(tmp_path, configuration):
    """Makes sites by their kind of database."""
    with ExitStack() as running:

        def make(kind, name="site"):
            folder = tmp_path / name
            folder.mkdir()
            text = running.enter_context(configured(kind, folder))
            return Site(text, folder, configuration.queue)

        yield make


@pytest.fixture
def die(in_process, scripts, queue):
    """Has a process of a site die in a commit with three mails."""

    def die_at(site, where):
        queue.close()
        process = in_process(scripts / "die_in_commit.py", site.file, where)
        assert process.wait(PATIENCE_SECONDS) == -signal.SIGKILL

    return die_at


@pytest.fixture
def out_of_order():
    """Two calls: from the first one to the second, the queue can't be written."""
    with pytest.MonkeyPatch.context() as patched:

        def break_it():
            def refuse(self):
                raise MaildropError("no disk")

            patched.setattr(SpoolDataManager, "_write", refuse)

        yield break_it, patched.undo


@pytest.fixture
def unreleased(root, send, join, mails, out_of_order):
    """The batch of a mail that was committed while the queue was out of order."""
    break_it, mend = out_of_order
    join(AFTER_ZODB, tpc_finish=break_it)
    root.counter += 1
    send(root.host)
    transaction.commit()
    mend()
    (message,) = mails()
    return message.batch


@pytest.fixture
def states(mails):
    """The states of all mail, each once."""
    return lambda: {each.state.value for each in mails()}
