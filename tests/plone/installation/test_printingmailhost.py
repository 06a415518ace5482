"""Products.PrintingMailHost, next to a Maildrop Host: mail is printed, and not sent."""

from __future__ import annotations

import logging

import pytest
import transaction
from plone import api
from plone.testing import zope


def send():
    api.portal.send_email(recipient="you@example.net", subject="Hello", body="Good bye")
    transaction.commit()


@pytest.fixture
def printing_mail_host(functional_test):
    """Products.PrintingMailHost as it is in a Zope in debug mode."""
    zope.installProduct(functional_test["app"], "Products.PrintingMailHost")
    from Products.PrintingMailHost import Patch

    Patch.apply_patches()
    yield Patch
    Patch.undo_patches()
    zope.uninstallProduct(functional_test["app"], "Products.PrintingMailHost")


def send_at_once():
    api.portal.send_email(
        recipient="you@example.net", subject="Hello", body="Good bye", immediate=True
    )
    transaction.commit()


def send_directly():
    mail = ("you@example.net", "me@example.net", "Hello", "Good bye")
    api.portal.get_tool("MailHost").simple_send(*mail)
    transaction.commit()


@pytest.mark.parametrize("send", [send, send_at_once, send_directly])
def test_with_printing_mail_host_mail_is_only_printed(
    committing_portal, printing_mail_host, queued, caplog, send
):
    with caplog.at_level(logging.INFO, "PrintingMailHost"):
        send()

    assert "you@example.net" in caplog.text
    assert "Good bye" in caplog.text
    assert queued() == []


def test_without_printing_mail_host_mail_is_queued_again(
    committing_portal, printing_mail_host, queued
):
    printing_mail_host.undo_patches()

    send()

    assert len(queued()) == 1


def test_the_fixed_address_of_printing_mail_host_gets_the_mail_queued(
    committing_portal, printing_mail_host, queued, monkeypatch
):
    monkeypatch.setattr(printing_mail_host, "FIXED_ADDRESS", ["me@example.net"])

    send()

    [(message, _)] = queued()
    assert [each.address for each in message.recipients] == ["me@example.net"]
