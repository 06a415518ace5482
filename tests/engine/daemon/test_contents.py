"""Names and words outside ASCII reach every relay in the form that it takes."""

from __future__ import annotations

import time
from email import message_from_bytes, policy

from servers.scripted import Scripted

from collective.maildrophost.engine.message import compose
from collective.maildrophost.engine.queue import State

RAW = "Subject: Grüße\nContent-Type: text/plain; charset=utf-8\n\nHällo\n"


def mail(recipient, content=RAW, sender="a@example.org"):
    return compose(content, sender, [recipient], now=time.time())


def mail_commands(relay):
    return [
        command
        for talk in relay.conversations
        for command in talk.commands
        if command.startswith("MAIL")
    ]


def send(site, relay, message):
    site.configure(SMTP_PORT=relay.port)
    with site.daemon():
        (id,) = site.send(message)
        site.wait_for(id, State.SENT)


def test_a_domain_outside_ascii_goes_to_any_relay(site):
    message = mail("b@bücher.example", sender="a@müller.example")
    with Scripted(extensions=()) as relay:
        send(site, relay, message)
        (received,) = relay.accepted
    assert received.sender == "a@xn--mller-kva.example"
    assert received.recipients == ["b@xn--bcher-kva.example"]
    assert mail_commands(relay) == ["MAIL FROM:<a@xn--mller-kva.example>"]


def test_raw_headers_are_read_by_everybody(site):
    with Scripted() as relay:
        send(site, relay, mail("b@example.org"))
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
        send(site, relay, mail("b@example.org", content=content))
        (received,) = relay.accepted
    assert max(map(len, received.content.splitlines())) <= 78
    parsed = message_from_bytes(received.content, policy=policy.default)
    assert parsed.get_content() == text
