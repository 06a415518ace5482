"""A relay at fault costs no message an attempt."""

from __future__ import annotations

import json

from servers.scripted import Hang, Scripted
from waiting import wait_until

from collective.maildrophost.engine.delivery.terms import PROBE_SECONDS
from collective.maildrophost.engine.message import Lane
from collective.maildrophost.engine.queue import State


def failures(site):
    return site.pauses[0].failures if site.pauses else 0


def test_mail_waits_for_a_relay_that_is_down_then_goes(site, unused_port, late_relay):
    site.configure(SMTP_PORT=unused_port)
    with site.daemon():
        (id,) = site.send()
        wait_until(lambda: failures(site) >= 2, what="a second try")
        (paused,) = site.pauses
        assert paused.name == f"127.0.0.1:{unused_port}"
        assert paused.paused_until > paused.since
        assert site.message(id).attempts == 0
        shown = json.loads(site.ctl("stats", "--json"))["relay"]
        assert shown["fault"] == paused.fault
        with late_relay(unused_port) as relay:
            relay.wait_for(1)
            record = site.wait_for(id, State.SENT)
            wait_until(lambda: not site.pauses, what="the end of the pause")
    assert record.attempts == 1
    assert record.recipients[0].attempts == 1
    assert len(site.log_lines("works again")) == 1


def test_a_connection_that_hangs_keeps_nobody_from_trying_the_relay(site):
    """For up to ten minutes: a password reset does not wait for that."""
    greetings = ["220 ready", "421 4.3.2 too many", "220 ready"]
    with Scripted({"END": [Hang(), "250 2.0.0 Ok"], "GREETING": greetings}) as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon():
            (hangs,) = site.send()
            wait_until(lambda: relay.conversations, what="the first connection")
            (id,) = site.send()
            site.wait_for(id, State.SENT)
            assert site.log_lines("421 4.3.2 too many")
            assert site.message(hangs).state is State.SENDING


def test_a_fault_dates_from_its_first_failure(site, unused_port):
    site.configure(SMTP_PORT=unused_port)
    with site.daemon():
        site.send()
        first = wait_until(lambda: site.pauses, what="the pause")[0].since
        wait_until(lambda: failures(site) >= 2, what="a second try")
        assert site.pauses[0].since == first


def test_a_relay_that_greets_with_a_refusal_is_at_fault_not_the_mail(site):
    with Scripted({"GREETING": ["554 5.3.2 closed", "220 ready"]}) as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon():
            (id,) = site.send()
            record = site.wait_for(id, State.SENT)
    assert record.attempts == 1
    assert "554 5.3.2 closed" in site.log


def test_when_one_host_is_down_the_next_one_takes_the_mail(site, unused_port):
    with Scripted() as relay:
        site.configure(
            SMTP_HOST=f"127.0.0.1:{unused_port};127.0.0.1:{relay.port}",
        )
        with site.daemon():
            (id,) = site.send()
            record = site.wait_for(id, State.SENT)
    assert record.attempts == 1
    assert site.pauses == []


def test_a_pause_is_probed_with_one_message_before_all_go(
    site, unused_port, late_relay, make_mail
):
    site.configure(SMTP_PORT=unused_port)
    with site.daemon():
        site.send(*[make_mail(subject=str(each)) for each in range(20)])
        wait_until(lambda: failures(site) >= 2, what="a second try")
        with late_relay(
            unused_port,
            {"EHLO": ["421 4.3.2 not yet"] * 2 + ["250-scripted.test\n250 PIPELINING"]},
        ) as relay:
            relay.wait_for(20)
    times = [each.opened for each in relay.conversations[:3]]
    # While it is at fault one connection tries, the next one only after a pause.
    assert times[1] - times[0] >= 0.2
    assert times[2] - times[1] >= 0.2
    assert {len(each.received) for each in relay.conversations[:2]} == {0}


def test_a_probe_that_finds_nothing_out_holds_up_no_other(site, unused_port, make_mail):
    """The relay takes no SMTPUTF8: it is not even asked about the first mail."""
    site.configure(SMTP_PORT=unused_port, MAILDROP_BOUNCE=0)
    with site.daemon():
        (unsendable,) = site.send(make_mail("ü@x.org", lane=Lane.INTERACTIVE))
        wait_until(lambda: site.pauses, what="the fault")
        (reset,) = site.send(make_mail(lane=Lane.INTERACTIVE))
        with Scripted(port=unused_port, extensions=("PIPELINING", "8BITMIME")):
            # Less than for a probe of which nothing is heard, which begins here.
            site.wait_for(reset, State.SENT, PROBE_SECONDS - 5)
            assert site.message(unsendable).state is State.FAILED
            wait_until(lambda: not site.pauses, what="the end of the fault")
