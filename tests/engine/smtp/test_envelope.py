"""Addresses for the wire."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collective.maildrophost.engine.smtp.capabilities import HELO_ONLY, Capabilities
from collective.maildrophost.engine.smtp.envelope import UnsendableAddress, path
from collective.maildrophost.engine.smtp.session import line
from collective.maildrophost.engine.verdict import Outcome

PLAIN = Capabilities()
UTF8 = Capabilities({"SMTPUTF8": ""})


@pytest.mark.parametrize("address", ["a@example.org", "root", "", "a+b=c%d@x", '"a"@b'])
def test_an_ascii_address_goes_as_it_is(address):
    assert path(address, PLAIN).address == address
    assert not path(address, PLAIN).utf8


def test_a_domain_outside_ascii_needs_no_smtputf8():
    assert path("a@Müller.example", PLAIN).address == "a@xn--mller-kva.example"
    assert not path("a@Müller.example", PLAIN).utf8


def test_a_local_part_outside_ascii_needs_smtputf8():
    assert path("ä@müller.example", UTF8).utf8
    with pytest.raises(UnsendableAddress, match=r"5\.6\.7") as raised:
        path("ä@example.org", PLAIN)
    assert raised.value.verdict.outcome is Outcome.FAILED


def test_a_relay_that_refused_ehlo_does_not_fail_an_address():
    with pytest.raises(UnsendableAddress) as raised:
        path("ä@example.org", HELO_ONLY)
    assert raised.value.verdict.outcome is Outcome.DEFERRED


@pytest.mark.parametrize("bad", ["\r", "\n", "\0", " ", "<", ">", "\t", "\x85", "\x7f"])
def test_an_address_cannot_leave_its_brackets(bad):
    for address in (f"a{bad}b@example.org", f"{bad}", f"a@b{bad}RCPT TO:<c@d>"):
        with pytest.raises(UnsendableAddress, match=r"5\.1\.3") as raised:
            path(address, UTF8)
        assert raised.value.verdict.reply.isprintable()


@given(st.text())
def test_any_text_is_a_path_or_refused(address):
    try:
        sent = path(address, UTF8).address
    except UnsendableAddress:
        return
    command = line(f"RCPT TO:<{sent}>")
    assert command.count(b"<") == command.count(b">") == 1
    assert len(command.splitlines()) == 1


@pytest.mark.parametrize("bad", ["a\r\nb", "a\n", "\0"])
def test_a_command_is_one_line(bad):
    with pytest.raises(ValueError, match="control characters"):
        line(bad)
