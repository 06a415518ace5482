"""Add-ons that take the place of a MailHost, next to a Maildrop Host."""

from __future__ import annotations

import logging

import pytest
import transaction
from Acquisition import aq_base
from collective.MockMailHost.MockMailHost import MockMailHost as AddonMailHost
from plone import api
from plone.app.testing import applyProfile
from plone.app.testing.utils import MockMailHost as LayerMailHost
from plone.registry.interfaces import IRegistry
from plone.testing import zope
from Products.CMFPlone.tests.utils import MockMailHost as PloneMailHost
from Products.GenericSetup import EXTENSION, profile_registry
from Products.MailHost.interfaces import IMailHost
from Products.MailHost.MailHost import MailHost
from zope.component import getUtility

from collective.maildrophost import MaildropHost
from collective.maildrophost.setuphandlers import put_maildrop_host_back

OURS = "collective.maildrophost:default"


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


@pytest.mark.parametrize("mock", [PloneMailHost, LayerMailHost])
def test_the_mail_host_of_plones_own_tests_takes_the_mail(
    committing_portal, queued, mock
):
    # As plone.app.testing's MOCK_MAILHOST_FIXTURE does it.
    committing_portal.MailHost = mail_host = mock("MailHost")
    site_manager = committing_portal.getSiteManager()
    site_manager.unregisterUtility(provided=IMailHost)
    site_manager.registerUtility(mail_host, provided=IMailHost)

    send()

    [message] = mail_host.messages
    assert b"Good bye" in message
    assert queued() == []


@pytest.fixture
def apply_mock_profile(committing_portal):
    """Applies the default profile of collective.MockMailHost."""
    product = "collective.MockMailHost"
    profile_registry.registerProfile(
        "default", product, "", "profiles/default", product, profile_type=EXTENSION
    )

    def apply():
        # Its step puts an acquisition wrapper into the site, which ZODB stores only
        # when the object inside was stored before.
        committing_portal.portal_setup.runImportStepFromProfile(
            f"profile-{product}:default", "toolset"
        )
        transaction.commit()
        applyProfile(committing_portal, f"{product}:default")

    yield apply
    profile_registry.unregisterProfile("default", product)


def test_collective_mock_mail_host_takes_the_mail(
    committing_portal, apply_mock_profile, queued
):
    apply_mock_profile()

    send()

    mail_host = committing_portal.MailHost
    assert type(aq_base(mail_host)) is AddonMailHost
    assert getUtility(IMailHost) == mail_host
    assert len(mail_host.messages) == 1
    assert queued() == []


def test_collective_mock_mail_host_stays_where_the_addon_is_uninstalled(
    committing_portal, apply_mock_profile, uninstall, queued
):
    apply_mock_profile()

    uninstall(committing_portal)
    getUtility(IRegistry)["plone.email_from_address"] = "office@example.net"
    send()

    assert len(committing_portal.MailHost.messages) == 1
    assert queued() == []


@pytest.fixture
def registered_with_its_wrapper(committing_portal):
    """A MailHost as many setup handlers put it there: fetched from the site first."""
    site = committing_portal
    site._delObject("MailHost")
    site._setObject("MailHost", MailHost("MailHost"))
    transaction.commit()
    site.getSiteManager().registerUtility(site.MailHost, IMailHost)
    getUtility(IMailHost)  # somebody sends a mail
    transaction.commit()


def toolset_of_plone(site):
    profile = "profile-Products.CMFPlone:plone"
    site.portal_setup.runImportStepFromProfile(profile, "toolset")


def maildrop_host_alone(site, tool_of):
    """Whether the Maildrop Host is all that anybody finds who asks for a MailHost."""
    registry = site.getSiteManager()
    found = [tool_of(site), aq_base(registry.getUtility(IMailHost))]
    found += map(aq_base, registry.getAllUtilitiesRegisteredFor(IMailHost))
    return all(type(each) is MaildropHost and each is found[0] for each in found)


@pytest.mark.parametrize(
    "bring_back",
    [put_maildrop_host_back, toolset_of_plone, lambda site: applyProfile(site, OURS)],
    ids=["by the button", "after a toolset", "by installing again"],
)
def test_the_maildrop_host_comes_back_where_a_wrapped_mail_host_is_registered(
    committing_portal, registered_with_its_wrapper, tool_of, bring_back
):
    bring_back(committing_portal)
    transaction.commit()

    assert maildrop_host_alone(committing_portal, tool_of)
    committing_portal._p_jar.cacheMinimize()
    assert maildrop_host_alone(committing_portal, tool_of)


def test_the_maildrop_host_comes_back_over_collective_mock_mail_host(
    committing_portal, apply_mock_profile, tool_of
):
    apply_mock_profile()

    applyProfile(committing_portal, OURS)
    transaction.commit()

    assert maildrop_host_alone(committing_portal, tool_of)
