"""What is wrong with a queue, in the reader's language."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import psycopg
import pytest

from collective.maildrophost.controlpanel.mailhost import SiteMailHost
from collective.maildrophost.engine.errors import MaildropError
from collective.maildrophost.engine.queue import QueueError, Unheard, open_queue
from collective.maildrophost.engine.queue.batches import BatchTorn
from collective.maildrophost.engine.queue.postgresql.database import PostgreSQL
from collective.maildrophost.engine.queue.sqlite.database import advice
from collective.maildrophost.engine.queue.upgrades import VERSION
from collective.maildrophost.engine.wording import _

CODES = ["08006", "25006", "40001", "42501", "53100", "55P03", "57P03", "XX000"]
CODES += ["25P03", "25P04", "3F000", "42703", "42P01", "53300", "53200", "57014"]
CODES += ["57P01", "57P02", "58030"]
LIBPQ = ["too many connections", "the system is starting up", "session is read-only"]
LIBPQ += ["FATAL: no", "certificate verify failed", "Connection refused"]
SQLITE = [
    "database is locked",
    "attempt to write a readonly database",
    "disk I/O error",
]
SQLITE += ["database disk image is malformed", "database or disk is full"]
SQLITE += ["unable to open database file", "file is not a database"]


@pytest.mark.parametrize("words", SQLITE)
def test_what_is_wrong_with_a_file_is_told_in_german(said, words):
    german = said(advice(sqlite3.OperationalError(words)), words)
    assert german.endswith(f" ({words})")


@pytest.mark.parametrize("code", CODES)
def test_what_is_wrong_with_a_server_is_told_in_german(said, code):
    error = psycopg.errors.lookup(code)("words")
    assert said(PostgreSQL.advice(None, error)).endswith(" (words)")


@pytest.mark.parametrize("words", LIBPQ)
def test_why_a_server_gives_no_connection_is_told_in_german(said, words):
    german = said(PostgreSQL.advice(None, psycopg.OperationalError(words)), words)
    assert german.endswith(f" ({words})")


def test_that_something_may_have_been_done_is_told_in_german(said):
    words = _("nobody knows whether it was committed: ${reason}", {"reason": "db"})
    assert said(Unheard("q", words).caution) == (
        "Vielleicht ist es getan; sehen Sie nach, bevor Sie es wiederholen: "
        "Warteschlange q: niemand weiß, ob es gespeichert wurde: db"
    )


def link_to_nothing(path):
    path.symlink_to(path.with_name("away.db"))


def newer(path):
    open_queue(f"sqlite:///{path}").close()
    with closing(sqlite3.connect(path)) as wire, wire:
        wire.execute("UPDATE maildrop_schema SET version = version + 1")


def directory(path):
    path.mkdir()


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (link_to_nothing, "und dort ist nichts"),
        (newer, f"diese Software kennt nur Versionen bis {VERSION}"),
        (directory, "sie lässt sich nicht öffnen"),
    ],
)
def test_why_a_queue_does_not_open_is_told_in_german(said, tmp_path, spoil, why):
    path = tmp_path / "queue.db"
    spoil(path)
    with pytest.raises(MaildropError) as refusal:
        open_queue(f"sqlite:///{path}")
    german = said(refusal.value.wording, tmp_path, "unable to open database file")
    assert german.startswith(f"Warteschlange sqlite:///{path}: ")
    assert why in german


def test_that_a_queue_went_away_is_told_in_german(said, tmp_path):
    path = tmp_path / "queue.db"
    with closing(open_queue(f"sqlite:///{path}")) as queue:
        path.rename(tmp_path / "elsewhere")
        with pytest.raises(MaildropError) as refusal, queue.read():
            pass
    assert "Stellen Sie sie zurück" in said(refusal.value.wording, tmp_path)


def test_that_mail_is_missing_is_told_in_german(said):
    assert said(BatchTorn(1, 3).wording).startswith("die Warteschlange hat 1 von 3 ")


@pytest.fixture
def full(monkeypatch):
    """Lets the queue say nothing but that it is full."""
    error = QueueError("sqlite:////q", advice(sqlite3.OperationalError("disk is full")))

    def queue(_host):
        raise error

    monkeypatch.setattr(SiteMailHost, "queue", queue)


FULL = "Warteschlange sqlite:////q: die Platte ist voll: Schaffen Sie dort Platz"


@pytest.mark.parametrize("view", ["", "queue", "test", "test-progress", "settings"])
def test_each_page_in_german_tells_it_in_german(panel, full, view):
    panel.reads("de")
    assert FULL in panel.open(view, message="<1@example.org>")


def test_what_was_not_done_is_told_in_german(panel, full):
    panel.reads("de")
    panel.post("maildrophost-act", **{"action": "hold", "ids:list": "1"})
    assert f"Nichts getan: {FULL}" in panel.text


def test_a_test_mail_that_was_not_queued_is_told_in_german(panel, full_disk):
    panel.reads("de")
    panel.post("maildrophost-send-test", recipient="you@example.org")
    assert "Nichts wurde eingereiht: Warteschlange sqlite:///" in panel.text
    assert "die Platte ist voll: Schaffen Sie dort Platz" in panel.text
