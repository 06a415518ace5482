"""The log has a line for each attempt, loses none to rotation, and cannot be forged."""

from __future__ import annotations

import dataclasses
import json
import logging
import logging.handlers
import re
import signal
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from servers.catcher import Catcher
from servers.scripted import Scripted
from waiting import wait_until

from collective.maildrophost.engine.config import load
from collective.maildrophost.engine.daemon import log as module
from collective.maildrophost.engine.daemon.jsonlines import JsonLine
from collective.maildrophost.engine.delivery import journal
from collective.maildrophost.engine.delivery.finished import Finished
from collective.maildrophost.engine.logfile import one_line
from collective.maildrophost.engine.queue import (
    Claim,
    OpenRecipient,
    Settlement,
    State,
)
from collective.maildrophost.engine.verdict import Outcome, Verdict

MANY = 300
SENT = re.compile(r"id=(\d+) sent ")
LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (INFO|WARNING|ERROR) ")


@pytest.fixture
def write(tmp_path, own_log):
    """Logs as the daemon does; the file's lines."""

    def write(name: str, *arguments: object, **options: object) -> list[str]:
        path = tmp_path / "maildrop.conf"
        path.write_text(
            f'MAILDROP_HOME="{tmp_path}"\nMAILDROP_LOG_FILE="{tmp_path}/{name}"\n'
        )
        module.set_up(load(path, {}))
        logging.getLogger(module.ROOT).error(*arguments, **options)
        text = (tmp_path / name).read_bytes().decode()
        return text.removesuffix("\n").split("\n")

    return write


FORGED = "2026-01-01T00:00:00.000Z INFO maildrop.delivery: id=1 sent to=<x@x.org>"


@pytest.mark.parametrize("ending", ["\n", "\r", "\r\n", "\x0b", "\x85", "\u2028"])
def test_no_line_break_in_a_text_begins_a_line(ending, write):
    (line,) = write("maildrop.log", "relay: %s", f"550 no{ending}{FORGED}")
    assert len(line.splitlines()) == 1


def test_a_traceback_has_no_line_that_looks_like_the_logs_own(write):
    try:
        raise ValueError(f"no\n{FORGED}")
    except ValueError:
        first, *others = write("maildrop.log", "broken", exc_info=True)
    assert LINE.match(first)
    assert len(others) > 2
    assert all(each.startswith("    ") for each in others)


def test_json_lines_are_one_object_each(write):
    (line,) = write("maildrop.jsonl", "relay: %s", f"550 no\n{FORGED}\u2028")
    found = json.loads(line)
    assert found["message"] == f"relay: 550 no\n{FORGED}\u2028"
    assert (found["level"], found["logger"]) == ("error", "maildrop")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", found["time"])


def test_a_traceback_is_part_of_the_object(write):
    try:
        raise ValueError("no")
    except ValueError:
        (line,) = write("maildrop.jsonl", "broken", exc_info=True)
    assert "ValueError: no" in json.loads(line)["traceback"]


def made(kind: type, **parts: object) -> Any:
    """An object with these parts alone: the journal looks at no others."""
    nothing = {each.name: None for each in dataclasses.fields(kind)}
    return kind(**{**nothing, **parts})


def journal_of(
    address: str, reply: str, possible_duplicate: bool = False
) -> list[logging.LogRecord]:
    """What delivery logs of one recipient's deferral."""
    recipients = (OpenRecipient(0, address, 1),)
    claim = made(
        Claim, id=7, sender="", recipients=recipients, deferred=(), created=10.0
    )
    settlement = made(
        Settlement,
        relay="r:25",
        verdicts=((0, Verdict(Outcome.DEFERRED, reply)),),
        possible_duplicate=possible_duplicate,
        notifications=(),
    )
    keeper = logging.handlers.BufferingHandler(10)
    journal.log.addHandler(keeper)
    try:
        journal.write([Finished(claim, settlement)], 10.5)
    finally:
        journal.log.removeHandler(keeper)
    return keeper.buffer


@given(st.text(), st.text())
def test_whatever_a_relay_says_comes_back_from_a_json_line(address, reply):
    (record,) = journal_of(address, reply)
    (line,) = JsonLine().format(record).splitlines()
    found = json.loads(line)
    assert found["recipient"] == one_line(address)
    assert found["reply"] == one_line(reply)
    parts = ("id", "outcome", "sender", "relay", "attempt", "delay")
    assert [found[name] for name in parts] == ["7", "deferred", "", "r:25", 2, 0.5]
    assert found["possible_duplicate"] is False


def test_the_line_of_an_attempt_has_what_its_object_has():
    (record,) = journal_of("b@x.org", "250 ok", possible_duplicate=True)
    text = (
        "id=7 deferred to=<b@x.org> from=<> relay=r:25 attempt=2 delay=0.50 "
        'reply="250 ok" possible_duplicate'
    )
    assert record.getMessage() == text
    found = json.loads(JsonLine().format(record))
    assert (found["message"], found["possible_duplicate"]) == (text, True)


@pytest.mark.parametrize(
    ("words", "id"),
    [("id=12 notification for <a@x.org>: Late", "12"), ("no id=12 of a mail", None)],
)
def test_any_line_about_one_message_has_its_id(words, id):
    record = logging.makeLogRecord({"msg": words})
    assert json.loads(JsonLine().format(record)).get("id") == id


def test_each_attempt_of_a_daemon_is_a_json_line_with_its_parts(site, make_mail):
    answers = {"RCPT:bad@x.org": "550 5.1.1 no such user"}
    with Scripted(answers) as relay:
        path = site.home / "maildrop.jsonl"
        site.configure(SMTP_PORT=relay.port, MAILDROP_LOG_FILE=path, MAILDROP_BOUNCE=0)
        with site.daemon():
            (id,) = site.send(make_mail("b@x.org", "bad@x.org"))
            site.wait_for(id, State.FAILED)
            wait_until(lambda: "bad@x.org" in path.read_text(), what="the line")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    told = {
        line["recipient"]: (line["id"], line["outcome"], line["attempt"])
        for line in lines
        if "recipient" in line
    }
    assert told == {"b@x.org": (id, "sent", 1), "bad@x.org": (id, "failed", 1)}


def rotate(site, state: Path, how: str) -> None:
    """Run the real logrotate over the site's log."""
    log = site.home / "var" / "maildrop.log"
    rules = site.home / "logrotate.conf"
    rules.write_text(f"{log} {{\n  rotate 1000\n  missingok\n  {how}\n}}\n")
    rules.chmod(0o600)
    command = ["logrotate", "--force", "--state", str(state), str(rules)]
    environ = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    ended = subprocess.run(
        command, env=environ, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("how", ["create 0600", "nocreate"])
def test_no_line_is_lost_while_logrotate_rotates_under_load(how, site, make_mail):
    with Scripted() as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon() as daemon:
            ids = [
                id
                for _ in range(MANY // 10)
                for id in site.send(*(make_mail() for _ in range(10)))
            ]
            rotations = 0
            while site.message(ids[-1]).state is not State.SENT or rotations < 5:
                rotate(site, site.home / "logrotate.state", how)
                rotations += 1
            for id in ids:
                site.wait_for(id, State.SENT)
            # The last lines come after the commit: no kill may come before them.
            assert daemon.stop() == 0
    logs = list((site.home / "var").glob("maildrop.log*"))
    assert len(logs) > 3
    text = "".join(path.read_text() for path in logs)
    assert Counter(SENT.findall(text)) == Counter(ids)


def test_mail_goes_on_while_the_log_file_cannot_be_opened(site, tmp_path):
    folder, away = tmp_path / "log", tmp_path / "away"
    folder.mkdir()
    log = folder / "maildrop.log"
    with Scripted({"MAIL": ["250 ok", "530 5.7.0 log in", "250 ok"]}) as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_LOG_FILE=log)
        with site.daemon() as daemon:
            site.send()
            relay.wait_for(1)
            folder.rename(away)
            # It has to tell of the relay's fault, and of its end.
            site.send()
            relay.wait_for(2)
            away.rename(folder)
            (id,) = site.send()
            wait_until(lambda: f" id={id} sent " in log.read_text(), what="its line")
            assert daemon.process.poll() is None


def test_a_reload_while_the_disk_of_the_log_is_full_does_not_end_the_daemon(site):
    with Catcher() as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_LOG_FILE="/dev/full")
        with site.daemon() as daemon:
            before = daemon.row
            daemon.signal(signal.SIGHUP)
            daemon.wait_for_reload(before)
            site.send()
            relay.wait_for(1)
