"""The mail settings without which Plone refuses to send."""

from __future__ import annotations

from plone.registry.interfaces import IRegistry
from zope.component import getUtility


def test_missing_mail_settings_are_filled_so_that_plone_sends(portal):
    registry = getUtility(IRegistry)

    assert registry["plone.smtp_host"]
    assert registry["plone.email_from_address"] == "postmaster@example.org"
    assert registry["plone.email_from_name"] == portal.title
    overview = portal.restrictedTraverse("@@overview-controlpanel")
    assert not overview.mailhost_warning()


def test_mail_settings_of_the_administrator_stay(plain_portal, install, uninstall):
    registry = getUtility(IRegistry)
    mine = {
        "plone.smtp_host": "smtp.example.net",
        "plone.email_from_address": "office@example.net",
        "plone.email_from_name": "The office",
    }
    for name, value in mine.items():
        registry[name] = value

    install(plain_portal)
    assert {name: registry[name] for name in mine} == mine

    uninstall(plain_portal)
    assert {name: registry[name] for name in mine} == mine


def test_filled_mail_settings_are_emptied_again(plain_portal, install, uninstall):
    registry = getUtility(IRegistry)
    assert registry["plone.email_from_address"] is None

    install(plain_portal)
    registry["plone.email_from_name"] = "Set in the meantime"
    uninstall(plain_portal)

    assert registry["plone.email_from_address"] is None
    assert registry["plone.email_from_name"] == "Set in the meantime"


def test_a_site_installs_without_any_configuration(plain_portal, install, monkeypatch):
    monkeypatch.delenv("MAILDROP_CONFIG")

    install(plain_portal)

    address = getUtility(IRegistry)["plone.email_from_address"]
    assert address.startswith("postmaster@")
