"""An address may be given as an object of the email package, as well as a text."""

from __future__ import annotations

from email.header import Header
from email.headerregistry import Address

import pytest

BOB = "Bob <bob@example.org>"
EACH_KIND = pytest.mark.parametrize(
    "bob", [Header(BOB), Address("Bob", "bob", "example.org"), BOB.encode()]
)


@pytest.fixture
def lines_of(content_of):
    """The lines of a message."""
    return lambda message: content_of(message).decode().splitlines()


@EACH_KIND
@pytest.mark.parametrize("several", [False, True])
def test_a_recipient_is_in_the_envelope_and_the_message(
    host, send, sent, lines_of, bob, several
):
    send(host, mto=[bob, "carol@example.org"] if several else bob)
    message = sent()
    expected = ["bob@example.org", *(["carol@example.org"] if several else [])]
    assert [each.address for each in message.recipients] == expected
    assert f"To: {', '.join([BOB, *expected[1:]])}" in lines_of(message)


@EACH_KIND
def test_a_sender_is_in_the_envelope_and_the_message(host, send, sent, lines_of, bob):
    send(host, mfrom=bob)
    message = sent()
    assert message.sender == "bob@example.org"
    assert f"From: {BOB}" in lines_of(message)


@pytest.mark.parametrize("bad", ["Bob\nBcc: x@y.org <bob@example.org>", "bob@a b"])
@pytest.mark.parametrize("argument", ["mto", "mfrom"])
def test_an_object_is_checked_as_a_text_is(host, send, refused, argument, bad):
    with refused():
        send(host, **{argument: Header(bad)})


def test_a_sender_that_is_no_address_is_refused(host, send, refused):
    with refused("the sender is 5, not an address"):
        send(host, mfrom=5)
