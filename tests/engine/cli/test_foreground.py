"""`fg` and `run`: the daemon in the foreground."""

from __future__ import annotations

import pytest
from servers.catcher import Catcher
from waiting import PATIENCE_SECONDS, wait_until

from collective.maildrophost.engine.cli import foreground, main


def test_fg_shows_the_log_and_ends_with_ctrl_c(site):
    site.send()
    with site.background("fg") as daemon:
        assert "started" in daemon.line()
        assert any("mail waits" in line for line in daemon.lines())
        assert daemon.interrupt() == 0


def test_run_ends_cleanly_with_sigterm(site):
    site.send()
    with site.background("run") as daemon:
        log = site.home / "var" / "maildrop.log"
        wait_until(lambda: log.exists() and "mail waits" in log.read_text())
        daemon.process.terminate()
        assert daemon.process.wait(PATIENCE_SECONDS) == 0
        assert daemon.line() == ""


@pytest.mark.parametrize(
    ("environ", "stayed"),
    [({}, []), ({"SUPERVISOR_ENABLED": "1"}, [foreground.SUPERVISORS_START_SECONDS])],
)
def test_an_error_in_the_configuration_is_one_for_supervisor_as_well(
    site, monkeypatch, environ, stayed
):
    slept = []
    monkeypatch.setattr(foreground.time, "sleep", slept.append)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    site.configure(SMTP_PORT="smtp")
    assert main(["run"], config=str(site.path)) == 2
    assert slept == stayed


def test_run_once_sends_what_is_due_and_ends(site):
    with Catcher() as catcher:
        site.configure(SMTP_PORT=catcher.port)
        id = site.send()
        assert site.ctl("run", "--once").status == 0
        assert len(catcher.messages) == 1
    assert site.state_of(id) == "sent"


def test_run_once_says_why_mail_is_left(site, unused_port):
    site.configure(SMTP_PORT=unused_port)
    site.send()
    ended = site.ctl("run", "--once")
    assert (ended.status, ended.out) == (1, "")
    assert ended.err == (
        f"maildropctl: relay 127.0.0.1:{unused_port}: connect: Connection refused; "
        "mail waits in the queue\n"
    )


def test_an_unknown_relay_is_a_fault_and_the_mail_waits(site):
    site.configure(SMTP_HOST="no-such-relay.invalid")
    id = site.send()
    assert site.ctl("run", "--once").status == 1
    assert site.state_of(id) in ("queued", "deferred")
    assert "no-such-relay.invalid" in (site.home / "var" / "maildrop.log").read_text()
