"""The postmaster is told of a relay's fault that lasts, and of its end; each once."""

from __future__ import annotations

import pytest
from engine.daemon.letters import letter, to, wait_until_idle
from waiting import wait_until

POSTMASTER = "postmaster@example.org"


@pytest.fixture
def down(site, unused_port):
    """A site whose relay is down, and whose postmaster soon hears of that."""
    site.configure(
        SMTP_PORT=unused_port,
        MAILDROP_WARN_AFTER=0.3,
        MAILDROP_RETRY_MAX=0.4,
        MAILDROP_POSTMASTER=POSTMASTER,
    )
    return site


def test_the_postmaster_is_told_of_a_lasting_fault_and_of_its_end(
    down, unused_port, late_relay
):
    with down.daemon():
        down.send()
        wait_until(lambda: down.pauses and down.pauses[0].told, what="the letter")
        failures = down.pauses[0].failures
        wait_until(lambda: down.pauses[0].failures >= failures + 2, what="more tries")
        with late_relay(unused_port) as relay:
            wait_until(lambda: len(to(relay, POSTMASTER)) >= 2, what="both letters")
            wait_until_idle(down)
            first, second = to(relay, POSTMASTER)
    fault = f"The relay 127.0.0.1:{unused_port} has taken no mail since"
    assert {each.sender for each in (first, second)} == {""}
    assert fault in letter(first).get_content()
    assert "takes mail again" in letter(second).get_content()
    assert letter(first)["Auto-Submitted"] == "auto-generated"
    assert down.pauses == []


def test_a_restart_does_not_tell_of_the_fault_again(down, unused_port, late_relay):
    with down.daemon():
        down.send()
        wait_until(lambda: down.pauses and down.pauses[0].told, what="the letter")
    failures = down.pauses[0].failures
    with down.daemon():
        wait_until(lambda: down.pauses[0].failures >= failures + 2, what="more tries")
        with late_relay(unused_port) as relay:
            wait_until(lambda: len(to(relay, POSTMASTER)) >= 2, what="both letters")
            wait_until_idle(down)
            assert len(to(relay, POSTMASTER)) == 2


def test_the_postmaster_hears_nothing_of_a_short_fault(site, unused_port, late_relay):
    site.configure(SMTP_PORT=unused_port, MAILDROP_POSTMASTER=POSTMASTER)
    with site.daemon():
        site.send()
        wait_until(lambda: site.pauses and site.pauses[0].failures >= 2, what="a fault")
        with late_relay(unused_port) as relay:
            relay.wait_for(1)
            wait_until(lambda: not site.pauses, what="the end of the fault")
            wait_until_idle(site)
            assert to(relay, POSTMASTER) == []
