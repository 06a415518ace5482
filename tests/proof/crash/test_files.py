"""Imports, upgrades, backups and tokens that are killed can be done again."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing

import pytest
from engine.queue.versions import TO_THE_FIRST_VERSION
from proof.crash.audit import Audit
from proof.crash.killing import AFTER, BEFORE, Plan
from proof.crash.points import BACKUP, OPENING, TAKEOVER, TOKENS, ways
from proof.crash.scenes import mail, queued

from collective.maildrophost.engine.message import Lane, mailfile
from collective.maildrophost.engine.queue import (
    State,
    enqueue,
    held_lanes,
    hold_lane,
    hold_messages,
    open_queue,
    upgrades,
)

PROGRAMS = "proof.crash.programs:"
REPLACE_TOKEN = PROGRAMS + "replace_refresh_token"
REPLACE = "engine.tokens.replacing.write replace"
COPY = "engine.queue.sqlite.backup._copy backup"


def spool(house) -> tuple[str, list[str]]:
    """A spool of Products.MaildropHost with one mail."""
    directory = house.home / "old"
    directory.mkdir()
    envelope = mailfile.START + b"b@example.org\n##From:a@example.org\n"
    (directory / "mail").write_bytes(envelope + b"Subject: dropped\n\nhello\n")
    return str(directory), ["dropped"]


def maildir(house) -> tuple[str, list[str]]:
    """A Maildir of zope.sendmail with one mail, which was just being sent."""
    directory = house.home / "old"
    for name in ("cur", "new", "tmp"):
        (directory / name).mkdir(parents=True)
    envelope = b"X-Zope-From: a@example.org\nX-Zope-To: b@example.org\n"
    waiting = directory / "new" / "1.2.here"
    waiting.write_bytes(envelope + b"Subject: dropped\n\nhello\n")
    waiting.with_name(".sending-1.2.here").hardlink_to(waiting)
    return str(directory), ["dropped"]


def other_queue(house) -> tuple[str, list[str]]:
    """A queue of ours with mail that waits, mail that is held, and a held lane."""
    url = f"sqlite:///{house.home}/other.db"
    other = open_queue(url)
    with other.write() as tx:
        ids = enqueue(tx, [mail("waits"), mail("is-held")], time.time())
        hold_messages(tx, ids[1:])
        hold_lane(tx, Lane.BULK)
    other.close()
    return url, ["waits", "is-held"]


OLD = {"spool": spool, "maildir": maildir, "other queue": other_queue}


@pytest.mark.parametrize(
    ("scene", "plan"), [pytest.param(*way, id=name) for name, *way in ways(TAKEOVER)]
)
def test_an_import_that_was_killed_is_done_again(house, relay, scene, plan):
    source, promised = OLD[scene](house)
    house.die_running(plan, "import", source)
    house.run_ctl("import", source)
    house.settle_down()
    audit = Audit(house, relay)
    audit.check(promised)
    assert audit.all_sent == {promised[0]}
    assert len(relay.accepted) == 1
    if scene == "other queue":
        with house.queue.read() as tx:
            assert list(held_lanes(tx)) == [Lane.BULK]
        states = {each.subject: each.state for each in house.messages()}
        assert states["is-held"] is State.HELD
    else:
        left = [each for each in (house.home / "old").rglob("*") if each.is_file()]
        assert left == []


@pytest.mark.parametrize(
    "plan", [pytest.param(p, id=n) for n, scene, p in ways(OPENING) if scene[0] == "n"]
)
def test_a_queue_whose_making_was_killed_is_made_by_the_next(house, plan):
    url = f"sqlite:///{house.home}/new/queue.db"
    house.die(plan, PROGRAMS + "open_and_close", url)
    queue = open_queue(url)
    with queue.write() as tx:
        assert upgrades.version(tx) == upgrades.VERSION
        assert enqueue(tx, [mail("first")], time.time())
    queue.close()


@pytest.mark.parametrize(
    "plan", [pytest.param(p, id=n) for n, scene, p in ways(OPENING) if scene[0] == "o"]
)
def test_an_upgrade_that_was_killed_is_done_by_the_next(house, relay, plan):
    queued(house, mail("of-old"))
    with house.queue.write() as tx:
        for statement in TO_THE_FIRST_VERSION:
            tx.exec_driver_sql(statement)
    house.die(plan, PROGRAMS + "open_and_close", house.queue.url)
    with house.queue.read() as tx:
        done = upgrades.VERSION if plan.when == AFTER else 1
        assert upgrades.version(tx) == done
    house.do(PROGRAMS + "open_and_close", house.queue.url)
    house.settle_down()
    audit = Audit(house, relay)
    audit.check(["of-old"])
    assert audit.sent("of-old") == 1


@pytest.mark.parametrize(
    ("scene", "plan"), [pytest.param(*way, id=name) for name, *way in ways(BACKUP)]
)
def test_a_backup_that_was_killed_is_whole_or_not_there(house, relay, scene, plan):
    queued(house, mail("saved"))
    target = house.home / "backup.db"
    if scene == "another backup":
        house.die_running(Plan(COPY, AFTER), "backup", str(target))
    house.die_running(plan, "backup", str(target))
    if target.exists():
        assert subjects_in(target) == ["saved"]
        target.unlink()
    assert {each.stat().st_mode & 0o77 for each in house.home.glob("backup*")} <= {0}
    house.run_ctl("backup", str(target))
    assert subjects_in(target) == ["saved"]
    assert list(house.home.glob("backup*")) == [target], "nothing is left behind"
    house.settle_down()
    assert len(relay.accepted) == 1


def subjects_in(backup) -> list[str]:
    with closing(sqlite3.connect(backup)) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return [
            each for (each,) in copy.execute("SELECT subject FROM maildrop_message")
        ]


@pytest.mark.parametrize(
    ("scene", "plan"), [pytest.param(*way, id=name) for name, *way in ways(TOKENS)]
)
def test_a_token_that_was_replaced_is_the_old_or_the_new_one(house, scene, plan):
    file = house.home / "token"
    file.write_text("old\n")
    file.chmod(0o600)
    if scene == "another token":
        house.die(Plan(REPLACE, BEFORE), REPLACE_TOKEN, str(file), "lost")
    house.die(plan, REPLACE_TOKEN, str(file), "new")
    replaced = scene == "another token" or (plan.step == REPLACE and plan.when == AFTER)
    assert file.read_text() == ("new\n" if replaced else "old\n")
    assert {each.stat().st_mode & 0o77 for each in house.home.glob(".token*")} <= {0}
    house.do(REPLACE_TOKEN, str(file), "newer")
    assert file.read_text() == "newer\n"
    assert list(house.home.glob(".token*")) == [], "nothing is left behind"
