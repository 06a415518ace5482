"""Which error a page gets for mail that is not taken."""

from __future__ import annotations

from smtplib import SMTPException

import pytest
from Products.MailHost.MailHost import MailHostError


@pytest.mark.parametrize("bad", ["a@example..org", "nü@b.org"])
def test_a_page_that_waits_for_a_refusal_by_smtp_gets_one(host, send, bad):
    """plone.app.discussion would lose the comment else, for an address of another."""
    with pytest.raises(SMTPException, match=r"no domain|beyond ASCII"):
        send(host, mto=bad)


def test_that_nothing_can_be_queued_is_no_refusal_by_smtp(host, send, monkeypatch):
    """Pages show the words of one to their visitors."""
    monkeypatch.setenv("MAILDROP_CONFIG", "/srv/missing.conf")
    with pytest.raises(MailHostError, match="missing") as caught:
        send(host)
    assert not isinstance(caught.value, SMTPException)


@pytest.mark.parametrize("wrong", [{"lane": "nonsense"}, {"charset": "nonsense"}])
def test_a_call_that_makes_no_sense_is_no_refusal_by_smtp(host, send, wrong):
    """It is for the programmer, not for whoever typed an address."""
    with pytest.raises(MailHostError, match="nonsense") as caught:
        send(host, **wrong)
    assert not isinstance(caught.value, SMTPException)


def test_the_log_has_the_reason_that_a_page_may_keep_to_itself(host, send, caplog):
    with pytest.raises(SMTPException) as caught:
        send(host, mto="a@example..org")
    assert caplog.messages == [f"a mail was refused: {caught.value}"]
