"""What changes when a person sits at a terminal: questions, widths, colours."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import time
from collections.abc import Callable

import pytest
from commands import PROGRAM
from servers.scripted import Scripted
from waiting import PATIENCE_SECONDS

from collective.maildrophost.engine.message import compose
from collective.maildrophost.engine.queue import (
    enqueue,
    new_batch,
    open_queue,
    prepare,
    release,
)

COLUMNS = 72


@pytest.fixture
def at_terminal(site):
    """Runs a command at a terminal that types an answer; (status, what it shows).

    `asked` is called once the question is shown, before it is answered.
    """

    def run(
        *arguments: str, answer: str = "", asked: Callable[[], object] = int
    ) -> tuple[int, str]:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
        environ = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}
        process = subprocess.Popen(
            [*PROGRAM, "--config", str(site.path), *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environ,
        )
        os.close(theirs)
        shown = read(ours) if answer else b""
        asked()
        os.write(ours, answer.encode())
        shown += b"".join(iter(lambda: read(ours), b""))
        os.close(ours)
        return process.wait(PATIENCE_SECONDS), shown.decode()

    return run


def read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # how Linux tells that the other side has gone
        return b""


def without_colours(text: str) -> str:
    return re.sub(r"\x1b\[[\d;]*m", "", text)


@pytest.mark.parametrize("answer", ["n\n", "\n", "\x04"])  # the last is Ctrl-D
def test_delete_all_asks_and_takes_no_for_an_answer(answer, site, at_terminal):
    id = site.send()
    status, shown = at_terminal("delete", "--all", answer=answer)
    assert status == 1
    assert "Delete all messages for good?" in shown
    assert site.state_of(id) == "queued"


def test_delete_all_asks_and_takes_yes_for_an_answer(site, at_terminal):
    id = site.send()
    status, _ = at_terminal("delete", "--all", "--state", "queued", answer="y\n")
    assert status == 0
    assert site.ctl("show", id).status == 1


def test_delete_all_takes_no_mail_that_came_while_it_asked(site, at_terminal):
    seen, unseen = site.send(), []
    status, shown = at_terminal(
        "delete", "--all", answer="y\n", asked=lambda: unseen.append(site.send())
    )
    assert status == 0
    assert "1 message deleted" in shown
    assert site.ctl("show", seen).status == 1
    assert site.state_of(unseen[0]) == "queued"


def test_delete_all_takes_no_mail_whose_transaction_commits_while_it_asks(
    site, at_terminal
):
    batch = new_batch()
    mails = [compose("Subject: x\n\n", "a@x.org", ["b@x.org"], now=1.0)] * 3
    with site.queue() as queue, queue.write() as tx:
        ids = prepare(tx, batch, mails, time.time())
    seen = site.send()

    def commit():
        with site.queue() as queue, queue.write() as tx:
            release(tx, batch)

    status, shown = at_terminal("delete", "--all", answer="y\nn\n", asked=commit)
    assert status == 0
    assert "1 message to delete." in shown
    assert "1 message deleted" in shown
    assert site.ctl("show", seen).status == 1
    assert [site.state_of(id) for id in ids] == ["queued"] * 3


def test_delete_all_asks_again_when_more_match_than_it_asked_about(site, at_terminal):
    ids = [site.send(), site.send(), site.send()]
    site.ctl("hold", ids[0])
    status, shown = at_terminal(
        *("delete", "--all", "--state", "held"),
        answer="y\nn\n",
        asked=lambda: site.ctl("hold", *ids[1:]),
    )
    assert status == 1
    assert "1 message to delete. Delete all held messages for good?" in shown
    assert "3 messages match by now, 1 did when you were asked" in shown
    assert "3 messages to delete. Delete all held messages for good?" in shown
    assert [site.state_of(id) for id in ids] == ["held"] * 3


def test_a_long_queue_is_cut_short_for_a_person_only(site, at_terminal):
    for _ in range(3):
        site.send()
    mails = [
        compose(f"Subject: number {number}\n\n", "a@x.org", ["b@x.org"], now=1.0)
        for number in range(100)
    ]
    with site.queue() as queue, queue.write() as tx:
        enqueue(tx, mails, time.time())
    _, shown = at_terminal("queue")
    assert "only the first 100 are shown: see --limit" in shown
    assert "number 96" in shown
    assert "number 97" not in shown
    assert "number 99" in at_terminal("queue", "--limit", "103")[1]
    assert "number 99" in site.ctl("queue").out
    assert len(site.ctl("queue", "--json").json) == 103


def test_a_table_has_the_width_of_the_terminal(site, at_terminal):
    site.send("-f", f"{'a' * 60}@example.org", "b@example.org", subject="long " * 20)
    status, shown = at_terminal("queue")
    assert status == 0
    lines = without_colours(shown).splitlines()
    assert max(map(len, lines)) == COLUMNS


def test_colours_are_for_terminals_only(site, at_terminal):
    assert "\x1b[" in at_terminal("check")[1]
    assert "\x1b[" not in site.ctl("check").out


def test_the_raw_message_does_not_steer_the_terminal(site, at_terminal):
    message = b"Subject: x\n\n\x1b[2J\x07body\n"
    site.ctl("send", "-f", "a@x.org", "b@x.org", stdin=message)
    _, shown = at_terminal("show", "1", "--raw")
    assert "\x1b" not in shown
    assert "\\x1b[2J\\x07body" in shown


def test_a_backup_shows_how_far_it_is_at_a_terminal_only(site, at_terminal):
    site.send()
    status, shown = at_terminal("backup", str(site.home / "one.db"))
    assert status == 0
    assert "copying" in shown
    assert "100%" in shown
    assert "copying" not in site.ctl("backup", str(site.home / "two.db")).err


def test_an_import_shows_how_far_it_is_at_a_terminal_only(site, at_terminal):
    for name in ("one", "two"):
        spool = site.home / name
        spool.mkdir()
        (spool / "1").write_text("##To:b@x.org\n##From:a@x.org\nSubject: x\n\n")
    status, shown = at_terminal("import", str(site.home / "one"))
    assert status == 0
    assert "importing" in shown
    assert "100%" in shown
    assert "importing" not in site.ctl("import", str(site.home / "two")).err


def test_an_import_of_a_queue_of_ours_shows_one_bar(site, at_terminal):
    old = f"sqlite:///{site.home}/old.db"
    ended = site.ctl("send", "-f", "a@x.org", "b@x.org", MAILDROP_QUEUE=old)
    assert ended.status == 0
    _, shown = at_terminal("import", old)
    assert shown.count("100%") == 1


def test_an_import_of_an_empty_queue_shows_that_all_is_done(site, at_terminal):
    old = site.home / "old.db"
    open_queue(f"sqlite:///{old}").close()
    status, shown = at_terminal("import", f"sqlite:///{old}")
    assert status == 0
    assert shown.count("100%") == 1


def test_a_flush_shows_how_far_it_is_at_a_terminal_only(site, at_terminal, monkeypatch):
    with Scripted() as relay:
        monkeypatch.setenv("SMTP_HOST", f"127.0.0.1:{relay.port}")
        site.send()
        site.send()
        status, shown = at_terminal("run", "--once")
    assert status == 0
    assert len(relay.accepted) == 2
    assert "sending" in shown
    assert "100%" in shown
    assert "sending" not in site.ctl("run", "--once").err


def test_a_flush_of_nothing_shows_that_all_is_done(site, at_terminal):
    status, shown = at_terminal("run", "--once")
    assert status == 0
    assert "100%" in shown
