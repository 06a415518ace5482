"""Every command of these pages works, in the order it is written."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import commands as program
import pytest
from commands import environment
from servers.catcher import Catcher
from waiting import PATIENCE_SECONDS, wait_until

from collective.maildrophost.engine.cli.commands import COMMANDS
from collective.maildrophost.engine.message import compose
from collective.maildrophost.engine.queue import enqueue, open_queue

DOCS = Path(__file__).parents[3] / "docs"
PAGE = DOCS / "commands.md"
OPERATIONS = DOCS / "operations.md"
WRITTEN_PATH = "/srv/mail/maildrop.conf"
NEWS = "Big news"
QUESTIONS = ("Where is", "not moving", "stop a newsletter", "change the relay")
QUESTIONS += ("upgrade", "back up", "restore", "another machine", "copy of a site")
GOES_ON = re.compile(r"maildropctl (run|fg|logtail)( --lines \d+)?$")
PLAIN = re.compile(r"maildropctl ([^|<>&;$`*()]*)$")
"""What a shell takes apart as shlex does, and asks nobody else about."""


def commands(page: Path = PAGE) -> list[str]:
    blocks = re.findall(r"```console\n(.*?)```", page.read_text(), re.DOTALL)
    lines = "".join(blocks).splitlines()
    assert all(line.startswith("$ ") for line in lines)
    return [line[2:] for line in lines]


def test_the_page_has_every_command():
    used = set(re.findall(r"maildropctl (\w+)", "\n".join(commands())))
    assert used == set(COMMANDS)


class Shell:
    """A shell in which `maildropctl` is the program."""

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        self._folder = folder
        self._environ = environ

    def start(self, line: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["sh", "-c", line],
            env=self._environ,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, line: str) -> None:
        """A line that must succeed."""
        if line.startswith("export "):
            name, _, value = line.removeprefix("export ").partition("=")
            self._environ[name] = value
        if plain := PLAIN.match(line):
            # Most lines: without a start of Python for each.
            ended = program.run(*shlex.split(plain[1]), environ=self._environ)
            status, said = ended.returncode, ended.stdout + ended.stderr
        else:
            process = self.start(line)
            said, _ = process.communicate(timeout=PATIENCE_SECONDS)
            status = process.returncode
        assert status == 0, f"{line}\n{said}"


@pytest.fixture
def shell(site, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    script = tmp_path / "bin" / "maildropctl"
    script.parent.mkdir()
    script.write_text(
        f'#!/bin/sh\nexec {sys.executable} -m collective.maildrophost.engine.cli "$@"\n'
    )
    script.chmod(0o755)
    with Catcher() as catcher:
        environ = environment(
            PATH=f"{script.parent}:/usr/bin:/bin",
            SMTP_HOST="127.0.0.1",
            SMTP_PORT=str(catcher.port),
        )
        yield Shell(tmp_path, environ)


def old_queues(home: Path, ours: Path) -> None:
    """What the page imports, with a mail in each."""
    spool, maildir = home / "maildrop" / "spool", home / "mailqueue"
    for folder in (spool, maildir / "cur", maildir / "new", maildir / "tmp"):
        folder.mkdir(parents=True)
    (spool / "1").write_text("##To:b@x.org\n##From:a@x.org\nSubject: x\n\n")
    (maildir / "new" / "1").write_text("X-Zope-From: a@x.org\nX-Zope-To: b@x.org\n\n")
    queue = open_queue(f"sqlite:///{ours}")
    mail = compose("Subject: x\n\n", "a@x.org", ["b@x.org"], now=1.8e9)
    with queue.write() as tx:
        enqueue(tx, [mail], 1.8e9)
    queue.close()


def test_every_command_on_the_page_works(site, shell, tmp_path):
    site.path.unlink()
    old_queues(tmp_path / "plone", site.home / "old" / "queue.db")
    for written in commands():
        line = written.replace(WRITTEN_PATH, str(site.path))
        line = line.replace("/srv/plone/var", str(tmp_path / "plone"))
        line = line.replace("/srv/mail", str(site.home))
        if GOES_ON.match(line):
            goes_on_until_ctrl_c(site, shell, line)
        else:
            shell.run(line)


def goes_on_until_ctrl_c(site, shell, line: str) -> None:
    process = shell.start(f"exec {line}")
    if "logtail" in line:
        assert "maildrop" in process.stdout.readline()
    else:
        wait_until(lambda: site.ctl("status").status == 0, what=line)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, f"{line}\n{said}"


def test_every_command_about_operations_works(site, shell):
    backups = site.home / "backups"
    backups.mkdir()
    site.send("-f", "a@x.org", "anna@example.org")
    for number in range(3):
        site.send("-f", "a@x.org", f"{number}@x.org", "--lane", "bulk", subject=NEWS)
    for written in commands(OPERATIONS):
        line = written.replace("/srv/mail", str(site.home))
        line = line.replace("/srv/backup", str(backups))
        if GOES_ON.match(line):
            goes_on_until_ctrl_c(site, shell, line)
            continue
        if "grep -F anna" in line:
            # The page is about mail that has arrived.
            wait_until(lambda: site.state_of("1") == "sent", what="the mail is sent")
        shell.run(line)
    assert site.ctl("status").status == 0
    assert site.state_of("1") == "sent"


def test_the_page_about_operations_has_an_answer_for_each_question():
    text = OPERATIONS.read_text()
    for words in QUESTIONS:
        assert re.search(f"^## .*{words}", text, re.MULTILINE), words
