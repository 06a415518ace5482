"""Names and words outside ASCII reach every relay in the form that it takes."""

from __future__ import annotations

import time
from email import message_from_bytes, policy

from servers.scripted import Scripted

from collective.maildrophost.engine.message import compose
from collective.maildrophost.engine.queue import State

WITHOUT_SMTPUTF8 = ("PIPELINING", "8BITMIME", "SIZE 50000000")
RAW = "Subject: Grüße\nContent-Type: text/plain; charset=utf-8\n\nHällo\n"


def mail(*recipients, content=RAW, sender="a@example.org"):
    return compose(content, sender, recipients, now=time.time())


def mail_commands(relay):
    return [
        command
        for talk in relay.conversations
        for command in talk.commands
        if command.startswith("MAIL")
    ]


def sent(site, relay, message, state=State.SENT):
    """The message's record when it has come to its end."""
    site.configure(SMTP_PORT=relay.port, MAILDROP_BOUNCE=0)
    with site.daemon():
        (id,) = site.send(message)
        return site.wait_for(id, state)


def test_a_local_part_outside_ascii_goes_with_smtputf8(site):
    message = mail("jörg@müller.example")
    with Scripted() as relay:
        sent(site, relay, message)
        (received,) = relay.accepted
    assert received.recipients == ["jörg@xn--mller-kva.example"]
    assert received.content == message.content.replace(b"\n", b"\r\n")
    assert mail_commands(relay)[0].endswith(" BODY=8BITMIME SMTPUTF8")


def test_without_smtputf8_that_recipient_alone_fails_and_says_why(site):
    message = mail("jörg@müller.example", "b@example.org")
    with Scripted(extensions=WITHOUT_SMTPUTF8) as relay:
        record = sent(site, relay, message, State.FAILED)
        # The notification of the failure goes to the same relay, sooner or later.
        (received,) = [each for each in relay.accepted if each.sender]
    assert [each.state.value for each in record.recipients] == ["failed", "sent"]
    assert record.recipients[0].reply.startswith("5.6.7 jörg@müller.example needs")
    assert received.recipients == ["b@example.org"]
    assert received.content.partition(b"\r\n\r\n")[0].isascii()


def test_a_domain_outside_ascii_goes_to_any_relay(site):
    message = mail("b@bücher.example", sender="a@müller.example")
    with Scripted(extensions=()) as relay:
        sent(site, relay, message)
        (received,) = relay.accepted
    assert received.sender == "a@xn--mller-kva.example"
    assert received.recipients == ["b@xn--bcher-kva.example"]
    assert mail_commands(relay) == ["MAIL FROM:<a@xn--mller-kva.example>"]


def test_raw_headers_are_read_by_everybody(site):
    with Scripted() as relay:
        sent(site, relay, mail("b@example.org"))
        (received,) = relay.accepted
    head, _, body = received.content.partition(b"\r\n\r\n")
    assert head.isascii()
    assert body == "Hällo\r\n".encode()
    parsed = message_from_bytes(received.content, policy=policy.default)
    assert parsed["Subject"] == "Grüße"


def test_a_long_line_and_a_nul_are_read_by_everybody(site):
    text = "word " * 500 + "\nzero\0\n"
    content = f"Subject: x\nContent-Type: text/plain; charset=utf-8\n\n{text}"
    with Scripted() as relay:
        sent(site, relay, mail("b@example.org", content=content))
        (received,) = relay.accepted
    assert max(map(len, received.content.splitlines())) <= 78
    parsed = message_from_bytes(received.content, policy=policy.default)
    assert parsed.get_content() == text
