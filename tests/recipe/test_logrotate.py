"""The log of a running daemon, rotated by the real logrotate."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest
from recipe.conftest import RUN_SECONDS
from servers.catcher import Catcher
from waiting import wait_until

LOGROTATE = shutil.which("logrotate", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
SNIPPET = "parts/maildrop/maildrop.logrotate"


def rotate(room, *options: str) -> subprocess.CompletedProcess[str]:
    assert LOGROTATE, "logrotate is missing (apt-get install logrotate)"
    ended = room.run(
        LOGROTATE, "-s", str(room / "state"), *options, str(room / SNIPPET)
    )
    assert ended.returncode == 0, ended.stderr
    return ended


@pytest.fixture
def part(room):
    with Catcher() as catcher:
        room.built(
            f"""
            [maildrop]
            recipe = collective.recipe.maildrophost
            smtp-host = 127.0.0.1:{catcher.port}
            log-file = var/log/the mail.log
            """
        )
        yield room
        room.script("maildrop-stop")


def send(room) -> None:
    sent = subprocess.run(
        [room / "bin/maildrop", "send", "-f", "a@example.org", "b@example.org"],
        input=b"Subject: hello\n\nbody\n",
        timeout=RUN_SECONDS,
    )
    assert sent.returncode == 0


def test_the_log_goes_on_in_a_new_file(part):
    log, old = part / "var/log/the mail.log", part / "var/log/the mail.log.1"
    assert part.script("maildrop-start").returncode == 0
    send(part)
    wait_until(lambda: " id=1 sent " in log.read_text(), what="the first line")
    rotate(part, "--force")
    send(part)
    wait_until(
        lambda: log.exists() and " id=2 sent " in log.read_text(), what="the next line"
    )
    assert " id=1 sent " in old.read_text()
    assert " id=2 sent " not in old.read_text()


def test_a_part_that_never_ran_has_nothing_to_rotate(part):
    assert rotate(part, "--force").stderr == ""
