"""What `check` says of the faults that a running daemon has met."""

from __future__ import annotations

import time

import pytest
from daemons import daemon_seen
from engine.cli.checks.findings import failed, texts
from servers.catcher import Catcher

from collective.maildrophost.engine.config.relays import RelayAddress
from collective.maildrophost.engine.queue import RelayPause, pause, register
from collective.maildrophost.engine.smtp import Phase, RelayFault


@pytest.fixture
def relay(site):
    with Catcher() as relay:
        site.configure(SMTP_PORT=relay.port)
        yield RelayAddress("127.0.0.1", relay.port)


def met(site, fault: RelayFault, used: str | None = "") -> None:
    """A daemon has met this fault; `used`: the relay of the one that runs now."""
    now, name = time.time(), str(fault.relay)
    with site.queue() as queue, queue.write() as tx:
        pause(tx, RelayPause(name, str(fault), now - 5, now + 200, 3))
        if used is not None:
            register(tx, daemon_seen(now, relay=used or name))


def login_required(relay: RelayAddress) -> RelayFault:
    return RelayFault(relay, Phase.MAIL, "530 5.7.0 log in first")


@pytest.mark.parametrize(
    ("phase", "reason", "hint"),
    [
        (Phase.MAIL, "530 5.7.0 log in first", "MAILDROP_LOGIN"),
        (Phase.MAIL, "550 5.7.0 log in first", "MAILDROP_LOGIN"),
        (Phase.RCPT, "530 5.7.1 Authentication required", "MAILDROP_LOGIN"),
        (Phase.MAIL, "530 5.7.0 Must issue a STARTTLS command first", "MAILDROP_TLS"),
        (Phase.RCPT, "530 5.7.10 tls required", "MAILDROP_TLS"),
        (Phase.DATA, "503 5.5.1 no", ""),
        (Phase.MAIL, "the relay spoke out of turn: 530 5.7.0 no", ""),
        (Phase.EHLO, "4.6.7 ä@x needs SMTPUTF8, but the relay refused EHLO", ""),
    ],
)
def test_a_fault_that_only_mail_meets_fails(site, relay, phase, reason, hint):
    site.send()
    fault = RelayFault(relay, phase, reason)
    met(site, fault)
    text = failed(site, "relay")
    assert text.startswith("at fault since ")
    advice = f" (see {hint})" if hint else ""
    assert text.endswith(f": {fault}{advice}; the daemon goes on trying")


def test_the_address_of_a_relay_may_have_colons(site, relay):
    site.send()
    site.configure(SMTP_HOST="[::1]", SMTP_PORT=relay.port)
    met(site, login_required(RelayAddress("::1", relay.port)))
    found = texts(site.ctl("check", "--json").json, "relay", "failed")
    assert [each for each in found if "(see MAILDROP_LOGIN)" in each]


@pytest.mark.parametrize("reason", ["502 5.5.1 no", "450 4.6.0 later"])
def test_a_fault_that_the_check_does_not_meet_any_more_is_a_warning(
    site, relay, reason
):
    site.send()
    fault = RelayFault(relay, Phase.EHLO, reason)
    met(site, fault)
    ended = site.ctl("check", "--json")
    (text,) = texts(ended.json, "relay", "warning")
    assert text.endswith(f": {fault}; the daemon goes on trying")
    assert texts(ended.json, "relay", "failed") == []
    assert ended.status == 0


@pytest.mark.parametrize("works", [False, True])
def test_a_fault_of_another_configurations_relay_fails_only_that_ones_check(
    site, relay, works
):
    """Unless no daemon sends this one's mail in its own way."""
    site.send()
    other = RelayAddress("127.0.0.1", 1)
    met(site, login_required(other))
    if works:
        with site.queue() as queue, queue.write() as tx:
            register(tx, daemon_seen(time.time(), owner="own", relay=str(relay)))
    ended = site.ctl("check", "--json")
    found = texts(ended.json, "relay", "warning" if works else "failed")
    assert [each for each in found if f"relay {other}: mail: 530" in each]
    assert (ended.status == 0) is works


def test_a_fault_that_no_mail_can_meet_again_is_a_warning(site, relay):
    met(site, login_required(relay))
    ended = site.ctl("check", "--json")
    (text,) = texts(ended.json, "relay", "warning")
    assert text.endswith("log in first (see MAILDROP_LOGIN); the next mail tries it")
    assert ended.status == 0


@pytest.mark.parametrize("used", [None, "another.example.org:25"])
def test_a_fault_that_no_daemon_has_now_is_not_said(site, relay, used):
    met(site, login_required(relay), used)
    ended = site.ctl("check", "--json")
    assert texts(ended.json, "relay", "ok") == [f"{relay} would take mail"]
    assert texts(ended.json, "relay", "warning") == []
    assert ended.status == 0
