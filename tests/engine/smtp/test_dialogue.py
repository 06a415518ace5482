"""At debug level the log has what both sides say, and nothing that is confidential."""

from __future__ import annotations

import logging

import pytest
from canaries import forms
from servers.scripted import Scripted

PASSWORD = "pa55:wörd"
MAIL = ("a@example.org", ["b@example.org"], b"Subject: secret plan\r\n\r\nnobody\r\n")


@pytest.fixture
def said(caplog):
    """The lines without time and relay, in their order."""

    def lines():
        return [record.getMessage().split(" ", 2)[2] for record in caplog.records]

    with caplog.at_level(logging.DEBUG, "maildrop.smtp"):
        yield lines


def test_the_log_has_every_command_and_every_reply(exchange, said):
    with Scripted({"RCPT": "450 4.2.0 later"}, extensions=("PIPELINING",)) as server:
        exchange(server, MAIL)
    spoken = said()
    assert spoken[1:3] == ["> EHLO client.test", "< 250 scripted.test PIPELINING"]
    at = spoken.index("> MAIL FROM:<a@example.org>")
    assert spoken[at + 1 : at + 3] == ["> RCPT TO:<b@example.org>", "> DATA"]
    assert "< 450 4.2.0 later" in spoken[at + 3 :]
    assert spoken[-2] == "> QUIT"


def test_the_log_has_only_the_size_of_the_message(exchange, said, caplog):
    with Scripted() as server:
        exchange(server, MAIL)
    assert f"> ({len(MAIL[2]) + 3} octets of the message)" in said()
    assert "nobody" not in caplog.text
    assert "secret plan" not in caplog.text


def takes(mechanism):
    """The login that the server wants."""
    return (lambda *given: True) if mechanism == "xoauth2" else ("me", PASSWORD)


@pytest.mark.parametrize("mechanism", ["plain", "login", "xoauth2"])
def test_the_log_has_no_credentials(exchange, login, said, caplog, mechanism):
    with Scripted(login=takes(mechanism)) as server:
        exchange(server, MAIL, login=login(password=PASSWORD, mechanism=mechanism))
        assert server.conversations[0].login[1] == PASSWORD
    told = [each for each in said() if each.startswith("> ")]
    assert told[1] == f"> AUTH {mechanism.upper()} (credentials)"
    rest = ["> (credentials)"] * 2 if mechanism == "login" else []
    assert told[2 : 2 + len(rest)] == rest
    assert told[2 + len(rest)].startswith("> MAIL FROM:")
    assert not any(form.decode() in caplog.text for form in forms(PASSWORD))


def test_connections_are_told_apart(exchange, caplog):
    with caplog.at_level(logging.DEBUG, "maildrop.smtp"), Scripted() as server:
        exchange(server, MAIL)
        exchange(server, MAIL)
    numbers = {record.getMessage().split(" ")[1] for record in caplog.records}
    assert len(numbers) == 2


def test_nothing_is_logged_above_debug_level(exchange, caplog):
    with caplog.at_level(logging.INFO, "maildrop.smtp"), Scripted() as server:
        exchange(server, MAIL)
    assert caplog.records == []
