"""A daemon under supervisor, put there by collective.recipe.supervisor."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator

import pytest
from recipe.conftest import clean_environment
from servers.catcher import Catcher
from waiting import PATIENCE_SECONDS, wait_until

from collective.maildrophost.engine.cli.foreground import SUPERVISORS_START_SECONDS


@pytest.fixture
def supervised(room) -> Iterator:
    """A part of two daemons whose supervisord runs in the foreground."""
    # Not tmp_path: pytest's names may be longer than a socket's may be.
    with Catcher() as catcher, tempfile.TemporaryDirectory() as folder:
        room.catcher = catcher
        room.built(
            f"""
            [maildrop]
            recipe = collective.recipe.maildrophost
            daemons = main newsletter
            smtp-host = 127.0.0.1:{catcher.port}

            [newsletter]
            home = 100% news

            [supervisor]
            recipe = collective.recipe.supervisor
            http-socket = unix
            file = {folder}/socket
            include = ${{maildrop:supervisor-include}}
            """,
            parts="supervisor",
        )
        process = subprocess.Popen(
            [room / "bin/supervisord", "--nodaemon"],
            cwd=room.folder,
            env=clean_environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield room
        finally:
            process.terminate()
            process.wait(PATIENCE_SECONDS)


def pids(room) -> dict[str, int]:
    """The programs that run, by name."""
    said = room.script("supervisorctl", "status").stdout
    return {
        name: int(pid)
        for name, pid in re.findall(r"(?m)^(\S+) +RUNNING +pid (\d+)", said)
    }


def works(room, daemon: str) -> int:
    """The pid of a daemon that works on its queue, 0 without one."""
    status = room.script("maildrop-status", daemon)
    found = re.search(r"running, pid (\d+)", status.stdout)
    return int(found.group(1)) if status.returncode == 0 and found else 0


def test_supervisor_runs_both_daemons_and_brings_one_back(supervised):
    wait_until(lambda: len(pids(supervised)) == 2, what="both daemons")
    running = pids(supervised)
    assert set(running) == {"maildrop-main", "maildrop-newsletter"}
    main = wait_until(lambda: works(supervised, "main"), what="the main daemon")
    assert main == running["maildrop-main"]
    os.kill(main, signal.SIGKILL)
    wait_until(
        lambda: works(supervised, "main") not in (0, main), what="the next daemon"
    )
    drop = supervised / "var/maildrop/main/spool/mail"
    drop.write_text("##To:b@example.org\n##From:a@example.org\nSubject: x\n\nx\n")
    supervised.catcher.wait_for(1)


def test_a_daemon_stopped_by_supervisor_ends_cleanly_and_stays_stopped(supervised):
    wait_until(lambda: works(supervised, "newsletter"), what="the daemon")
    stopped = supervised.script("supervisorctl", "stop", "maildrop-newsletter")
    assert stopped.returncode == 0, stopped.stdout
    assert not works(supervised, "newsletter")
    log = supervised.text("100% news/var/maildrop.log")
    assert log.rstrip().endswith("stopped")


def test_an_error_in_its_configuration_keeps_a_daemon_down(supervised):
    wait_until(lambda: works(supervised, "newsletter"), what="the daemon")
    with open(supervised / "parts/maildrop/newsletter.conf", "a") as configuration:
        configuration.write("SMTP_PORT=smtp\n")
    supervised.script("supervisorctl", "restart", "maildrop-newsletter")
    wait_until(
        lambda: "EXITED" in supervised.script("supervisorctl", "status").stdout,
        what="the end of the daemon",
    )
    section = supervised.text("parts/maildrop/maildrop-newsletter.supervisor")
    assert f"\nstartsecs = {SUPERVISORS_START_SECONDS:.0f}\n" in section
