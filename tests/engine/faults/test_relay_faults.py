"""Rows 1 to 3: a relay that cannot be used is left alone; no mail is to blame."""

from __future__ import annotations

import pytest
from engine.faults.telling import assert_relay_fault, told
from servers.scripted import Drop, Hang, Raw, Scripted
from waiting import wait_until

from collective.maildrophost.engine.queue import State

row = pytest.mark.row
LOGIN = {"MAILDROP_LOGIN": "me", "MAILDROP_PASSWORD": "sesame-7"}
SENT = [("b", "sent", "250 2.0.0 Ok: queued")]


@pytest.fixture
def unreachable(unused_port, silent_port):
    """SMTP_HOST for each way in which a relay is not there, and what is said of it."""
    return {
        "unknown": ("no-such-host.invalid", "no-such-host.invalid was not found"),
        "refused": (f"127.0.0.1:{unused_port}", "refused"),
        "silent": (f"127.0.0.1:{silent_port}", "no connection within 1 seconds"),
    }


@row(1)
@pytest.mark.parametrize("kind", ["unknown", "refused", "silent"])
def test_mail_stays_as_it_is_while_no_relay_can_be_reached(
    site, impatient, unreachable, kind
):
    if kind == "silent":
        impatient({"connect": 1.0})
    host, words = unreachable[kind]
    site.configure(SMTP_HOST=host)
    ids = site.send() + site.send()
    assert site.once() == 1
    assert_relay_fault(site, words, *ids)


@row(1)
@pytest.mark.parametrize("kind", ["unknown", "refused", "silent"])
def test_the_next_host_has_the_mail_when_the_first_cannot_be_reached(
    site, impatient, unreachable, kind
):
    if kind == "silent":
        impatient({"connect": 1.0})
    host, words = unreachable[kind]
    with Scripted() as second:
        site.configure(SMTP_HOST=f"{host};127.0.0.1:{second.port}")
        (id,) = site.send()
        assert site.once() == 0
        assert len(second.accepted) == 1
    assert told(site, id) == SENT
    assert site.attempts(id)[0].relay == f"127.0.0.1:{second.port}"
    assert site.pauses == []
    assert any("the next host is tried" in line for line in site.log_lines(words))


GREETINGS = {
    "421 4.3.2 too busy": "421 4.3.2 too busy",
    "450 4.3.2 later": "450 4.3.2 later",
    "554 5.3.2 never": "554 5.3.2 never",
    "a drop": Drop(),
    "a reset": Drop(reset=True),
    "a drop after half a line": Drop(b"220 scrip"),
    "silence": Hang(),
    "no SMTP": Raw(b"SSH-2.0-OpenSSH_9.2\r\n"),
}


@row(2)
@pytest.mark.parametrize("greeting", GREETINGS)
def test_any_greeting_but_a_220_is_the_relays_fault(site, impatient, greeting):
    answer = GREETINGS[greeting]
    if isinstance(answer, Hang):
        impatient({"greeting": 0.3})
    with Scripted({"GREETING": [answer, "220 hello"]}) as relay:
        site.configure(SMTP_PORT=relay.port)
        (id,) = site.send()
        assert site.once() == 1
        words = answer if isinstance(answer, str) else "greeting: "
        if greeting == "a reset":
            words = "reset"  # May come before the connection counts as made.
        assert_relay_fault(site, words, id, error=greeting.startswith("554"))
        assert relay.commands == []
        impatient()
        assert site.once() == 0
    assert told(site, id) == SENT
    assert site.pauses == []
    assert site.log_lines("works again")


@row(2)
def test_the_next_host_has_the_mail_when_the_first_greets_with_a_refusal(site):
    with Scripted({"GREETING": "554 5.3.2 never"}) as first, Scripted() as second:
        hosts = f"127.0.0.1:{first.port};127.0.0.1:{second.port}"
        site.configure(SMTP_HOST=hosts)
        (id,) = site.send()
        assert site.once() == 0
        assert len(second.accepted) == 1
    assert told(site, id) == SENT
    assert site.pauses == []


@row(1)
@row(2)
def test_a_steady_stream_of_mail_goes_back_to_the_first_host_when_that_works(site):
    refusals = {"GREETING": ["421 4.3.2 too busy", "220 ready"]}
    with Scripted(refusals) as first, Scripted() as second:
        hosts = f"127.0.0.1:{first.port};127.0.0.1:{second.port}"
        # One connection, which always has a next message before it may be closed.
        site.configure(SMTP_HOST=hosts, MAILDROP_CONCURRENCY=1)
        with site.daemon():
            site.send()
            second.wait_for(1)
            wait_until(lambda: site.send() and first.accepted, what="mail at the first")
    assert site.pauses == []


@row(3)
def test_a_relay_without_ehlo_has_the_mail_after_helo(site):
    with Scripted({"EHLO": "502 5.5.1 what?"}) as relay:
        site.configure(SMTP_PORT=relay.port)
        (id,) = site.send()
        assert site.once() == 0
        assert relay.commands[1].startswith("HELO ")
        assert relay.accepted[0].recipients == ["b@example.org"]
    assert told(site, id) == SENT


@row(3)
@pytest.mark.parametrize("options", [{"MAILDROP_TLS": 2}, LOGIN])
def test_helo_is_no_way_around_tls_or_login(site, options):
    with Scripted({"EHLO": "502 5.5.1 what?"}) as relay:
        site.configure(SMTP_PORT=relay.port, **options)
        (id,) = site.send()
        assert site.once() == 1
        assert_relay_fault(site, "502 5.5.1 what?", id, error=True)
        assert {verb for talk in relay.conversations for verb in talk.verbs} == {"EHLO"}


@row(3)
def test_a_relay_that_refuses_even_helo_is_at_fault(site):
    with Scripted({"EHLO": "502 5.5.1 what?", "HELO": "554 5.7.1 no"}) as relay:
        site.configure(SMTP_PORT=relay.port)
        (id,) = site.send()
        assert site.once() == 1
        assert_relay_fault(site, "554 5.7.1 no", id, error=True)


@row(3)
def test_mail_that_needs_smtputf8_is_not_failed_by_a_relay_without_ehlo(
    site, make_mail
):
    answers = {"EHLO": ["502 5.5.1 what?", "250-hello\n250 SMTPUTF8"]}
    with Scripted(answers) as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_CONCURRENCY=1)
        (id,) = site.send(make_mail("jörg@example.org"))
        assert site.once() == 1
        assert_relay_fault(site, "needs SMTPUTF8", id)
        wait_until(lambda: site.once() == 0 and relay.accepted, what="the mail")
        assert relay.accepted[0].recipients == ["jörg@example.org"]
    assert [outcome for _, outcome, _ in told(site, id)] == ["sent"]


@row(3)
def test_mail_that_needs_smtputf8_keeps_no_other_mail_from_a_relay_without_ehlo(
    site, make_mail
):
    with Scripted({"EHLO": "502 5.5.1 what?"}) as relay:
        site.configure(
            SMTP_PORT=relay.port, MAILDROP_CONCURRENCY=1, MAILDROP_RETRY_MIN=0.2
        )
        unusual, *others = site.send(
            make_mail("jörg@example.org"), *[make_mail() for _ in range(3)]
        )
        with site.daemon():
            for each in others:
                site.wait_for(each, State.SENT)
            site.wait_for(unusual, State.DEFERRED)
            wait_until(lambda: site.pauses == [], what="the relay is in use again")
    assert "needs SMTPUTF8" in site.message(unusual).recipients[0].reply


@row(2)
def test_after_a_restart_one_connection_tries_a_relay_that_was_at_fault(
    site, make_mail
):
    with Scripted({"GREETING": "421 4.3.2 down"}) as relay:
        site.configure(SMTP_PORT=relay.port)
        ids = site.send(*[make_mail(subject=str(n)) for n in range(20)])
        assert site.once() == 1
        since, tries = site.pauses[0].since, len(relay.conversations)
        assert site.once() == 1
        assert (site.pauses[0].failures, site.pauses[0].since) == (2, since)
        assert len(relay.conversations) == tries + 1
        assert_relay_fault(site, "421 4.3.2 down", *ids)
        relay.answers.clear()
        assert site.once() == 0
        assert len(relay.accepted) == 20
    assert {site.message(id).attempts for id in ids} == {1}
