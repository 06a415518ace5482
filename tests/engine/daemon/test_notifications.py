"""Senders are told of mail that fails or is late, and the postmaster of the rest."""

from __future__ import annotations

import time

import pytest
from engine.daemon.letters import letter, to, wait_until_idle
from servers.scripted import Drop, Scripted

from collective.maildrophost.engine.daemon import run_once
from collective.maildrophost.engine.delivery.notifications import decide
from collective.maildrophost.engine.message import Lane, compose
from collective.maildrophost.engine.queue import State, list_messages

POSTMASTER = "postmaster@example.org"

row = pytest.mark.row


def status(received, number=1):
    """The fields of a recipient in a report."""
    _, about, _ = letter(received).iter_parts()
    return about.get_payload()[number]


@pytest.fixture
def automatic():
    """A mail that a program answered with."""
    return compose(
        "From: a@example.org\nAuto-Submitted: auto-replied\n\nI am away\n",
        "a@example.org",
        ["b@example.org"],
        now=time.time(),
    )


@pytest.fixture
def senderless():
    """A mail from the null sender."""
    return compose("Subject: report\n\nbody\n", "", ["b@example.org"], now=time.time())


def test_the_sender_of_refused_mail_is_told(site, make_mail):
    with Scripted({"RCPT:b@example.org": "550 5.1.1 nobody here"}) as relay:
        site.configure(SMTP_PORT=relay.port)
        message = make_mail()
        with site.daemon():
            (id,) = site.send(message)
            (told,) = relay.wait_for(1)
            site.wait_for(id, State.FAILED)
            wait_until_idle(site)
    assert (told.sender, told.recipients) == ("", ["a@example.org"])
    top = letter(told)
    assert top["Auto-Submitted"] == "auto-replied"
    assert top["In-Reply-To"] == message.message_id
    assert status(told, 0)["X-Maildrop-Queue-Id"] == id
    fields = status(told)
    assert fields["Final-Recipient"] == "rfc822; b@example.org"
    assert fields["Action"] == "failed"
    assert fields["Status"] == "5.1.1"
    assert fields["Remote-MTA"] == "dns; [127.0.0.1]"
    assert fields["Diagnostic-Code"] == "smtp; 550 5.1.1 nobody here"
    assert len(relay.accepted) == 1
    assert len(site.log_lines("notification for <a@example.org>")) == 1


def test_ehlo_and_notifications_use_the_name_that_is_configured(site):
    with Scripted({"RCPT:b@example.org": "550 5.1.1 nobody here"}) as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_HELO_NAME="münster.example.org.")
        with site.daemon():
            site.send()
            (told,) = relay.wait_for(1)
            wait_until_idle(site)
    name = "xn--mnster-3ya.example.org"
    assert {each for each in relay.commands if "HLO" in each} == {f"EHLO {name}"}
    assert letter(told)["From"].endswith(f"<MAILER-DAEMON@{name}>")
    assert status(told, 0)["Reporting-MTA"] == f"dns; {name}"


def test_one_notification_tells_of_all_who_were_refused_in_an_attempt(site, make_mail):
    answers = {
        "RCPT:no@example.org": "550 5.1.1 nobody here",
        "RCPT:never@example.org": "554 5.7.1 not for you",
        "RCPT:later@example.org": ["450 4.2.0 later", "250 2.1.5 ok"],
    }
    with Scripted(answers) as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon():
            (id,) = site.send(
                make_mail(
                    "no@example.org",
                    "later@example.org",
                    "yes@example.org",
                    "never@example.org",
                )
            )
            site.wait_for(id, State.FAILED)
            wait_until_idle(site)
        (told,) = to(relay, "a@example.org")
    _, about, _ = letter(told).iter_parts()
    assert [each["Final-Recipient"] for each in about.get_payload()[1:]] == [
        "rfc822; no@example.org",
        "rfc822; never@example.org",
    ]


@row(24)
def test_when_its_lifetime_is_over_one_notification_tells_of_the_rest(site, make_mail):
    later = dict.fromkeys(
        ["RCPT:b@example.org", "RCPT:c@example.org"], "450 4.2.0 later"
    )
    with Scripted(later) as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_LIFETIME=3600)
        with site.daemon():
            (id,) = site.send(
                make_mail("b@example.org", "yes@example.org", "c@example.org")
            )
            site.wait_for(id, State.DEFERRED)
            site.grow_old(3600)
            site.wait_for(id, State.FAILED)
            wait_until_idle(site)
        (told,) = to(relay, "a@example.org")
    for number in (1, 2):
        fields = status(told, number)
        assert (fields["Action"], fields["Status"]) == ("failed", "4.4.7")
        assert fields["Diagnostic-Code"] == "smtp; 450 4.2.0 later"
    assert site.message(id).attempts >= 2


@row(24)
def test_one_notification_tells_of_those_who_were_cut_off_and_of_the_others(
    site, make_mail
):
    """They have an SMTP transaction each in the last round, too."""
    refused = [f"{name}@example.org" for name in ("one", "two", "three")]
    answers = dict.fromkeys((f"RCPT:{each}" for each in refused), "450 4.2.0 later")
    answers["RCPT:four@example.org"] = Drop()
    with Scripted(answers) as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_LIFETIME=3600)
        with site.daemon():
            (id,) = site.send(
                make_mail(*refused, "four@example.org", "five@example.org")
            )
            site.wait_for(id, State.DEFERRED)
            site.grow_old(3600)
            site.wait_for(id, State.FAILED)
            wait_until_idle(site)
        (told,) = to(relay, "a@example.org")
    assert {status(told, number)["Status"] for number in range(1, 6)} == {"4.4.7"}


def test_a_delay_is_told_once_however_often_it_is_tried_again(site):
    answers = {"RCPT:b@example.org": ["450 4.2.0 later"] * 6 + ["250 2.1.5 ok"]}
    with Scripted(answers) as relay:
        site.configure(
            SMTP_PORT=relay.port, MAILDROP_WARN_AFTER=0.1, MAILDROP_RETRY_MAX=0.2
        )
        with site.daemon():
            (id,) = site.send()
            record = site.wait_for(id, State.SENT)
            wait_until_idle(site)
        (warning,) = to(relay, "a@example.org")
    assert record.attempts == 7
    fields = status(warning)
    assert (fields["Action"], fields["Status"]) == ("delayed", "4.2.0")
    assert "Will-Retry-Until" in fields


def test_a_late_newsletter_warns_nobody(site, make_mail):
    answers = {"RCPT:b@example.org": ["450 4.2.0 later"] * 4 + ["250 2.1.5 ok"]}
    with Scripted(answers) as relay:
        site.configure(
            SMTP_PORT=relay.port, MAILDROP_WARN_AFTER=0.1, MAILDROP_RETRY_MAX=0.2
        )
        with site.daemon():
            (id,) = site.send(make_mail(lane=Lane.BULK))
            site.wait_for(id, State.SENT)
            wait_until_idle(site)
        assert to(relay, "a@example.org") == []


def test_automatic_mail_is_never_answered_but_kept_when_it_fails(site, automatic):
    answers = {"RCPT:b@example.org": ["450 4.2.0 later"] * 2 + ["550 5.1.1 no"]}
    with Scripted(answers) as relay:
        site.configure(
            SMTP_PORT=relay.port,
            MAILDROP_WARN_AFTER=0.1,
            MAILDROP_POSTMASTER=POSTMASTER,
        )
        with site.daemon():
            (id,) = site.send(automatic)
            site.wait_for(id, State.FAILED)
            wait_until_idle(site)
        assert relay.accepted == []


def test_without_maildrop_bounce_failed_mail_is_only_kept(site):
    with Scripted({"RCPT:b@example.org": "550 5.1.1 no"}) as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_BOUNCE=0)
        with site.daemon():
            (id,) = site.send()
            site.wait_for(id, State.FAILED)
            wait_until_idle(site)
        assert relay.accepted == []


@row(23)
def test_mail_without_a_sender_brings_nothing_without_a_postmaster(site, senderless):
    with Scripted({"RCPT:b@example.org": "550 5.1.1 no"}) as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon():
            (id,) = site.send(senderless)
            site.wait_for(id, State.FAILED)
            wait_until_idle(site)
        assert relay.accepted == []


@row(23)
def test_when_a_notification_fails_the_postmaster_is_told(site):
    answers = {
        "RCPT:b@example.org": "550 5.1.1 nobody here",
        "RCPT:a@example.org": "550 5.7.1 nor here",
    }
    with Scripted(answers) as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_POSTMASTER=POSTMASTER)
        with site.daemon():
            (id,) = site.send()
            (told,) = relay.wait_for(1)
            site.wait_for(id, State.FAILED)
            wait_until_idle(site)
        assert relay.accepted == [told]
    assert (told.sender, told.recipients) == ("", [POSTMASTER])
    assert status(told)["Final-Recipient"] == "rfc822; a@example.org"
    notification = site.message(status(told, 0)["X-Maildrop-Queue-Id"])
    assert (notification.state, notification.origin) == (State.FAILED, "notification")


def test_what_the_postmaster_cannot_get_ends_there(site, senderless):
    with Scripted({"RCPT": "550 5.1.1 nobody here"}) as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_POSTMASTER=POSTMASTER)
        with site.daemon():
            (id,) = site.send(senderless)
            site.wait_for(id, State.FAILED)
            wait_until_idle(site)
        assert relay.accepted == []
    with site.queue.read() as tx:
        records = list_messages(tx)
    assert len(records) == 2  # the mail itself, and the one letter about it
    assert {each.state for each in records} == {State.FAILED}


def test_a_notification_that_cannot_be_written_costs_no_verdict(
    site, own_log, monkeypatch
):
    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(decide, "report", broken)
    with Scripted({"RCPT:b@example.org": "550 5.1.1 no"}) as relay:
        site.configure(SMTP_PORT=relay.port)
        (id,) = site.send()
        assert not run_once(site.configuration)
    record = site.message(id)
    assert (record.state, record.attempts) == (State.FAILED, 1)
    assert record.recipients[0].reply == "550 5.1.1 no"
    assert len(site.log_lines("no notification could be written")) == 1
