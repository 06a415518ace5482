"""What `check` says of the faults that a running daemon has met."""

from __future__ import annotations

import time

import pytest
from daemons import daemon_seen
from engine.cli.checks.findings import failed, texts
from servers.catcher import Catcher

from collective.maildrophost.engine.queue import RelayPause, pause, register


@pytest.fixture
def relay(site):
    with Catcher() as relay:
        site.configure(SMTP_PORT=relay.port)
        yield f"127.0.0.1:{relay.port}"


def met(site, relay: str, fault: str, runs: bool = True) -> None:
    """A daemon has met this fault."""
    now = time.time()
    with site.queue() as queue, queue.write() as tx:
        pause(tx, RelayPause(relay, f"relay {relay}: {fault}", now - 5, now + 200, 3))
        if runs:
            register(tx, daemon_seen(now, relay=relay))


def test_a_fault_that_only_mail_meets_fails(site, relay):
    met(site, relay, "mail: 530 5.7.0 log in first")
    text = failed(site, "relay")
    assert text.startswith("at fault since ")
    assert f"relay {relay}: mail: 530 5.7.0 log in first (see MAILDROP_LOGIN)" in text


def test_a_fault_that_the_check_does_not_meet_any_more_is_a_warning(site, relay):
    met(site, relay, "connect: Connection refused")
    ended = site.ctl("check", "--json")
    (text,) = texts(ended.json, "relay", "warning")
    assert f"relay {relay}: connect: Connection refused; the daemon " in text
    assert texts(ended.json, "relay", "failed") == []
    assert ended.status == 0


def test_a_fault_that_no_daemon_has_now_is_not_said(site, relay):
    met(site, relay, "mail: 530 5.7.0 log in first", runs=False)
    ended = site.ctl("check", "--json")
    assert texts(ended.json, "relay", "ok") == [f"{relay} would take mail"]
    assert ended.status == 0
