"""The mail settings without which Plone refuses to send."""

from __future__ import annotations

import socket

import pytest
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


@pytest.fixture
def named(monkeypatch, tmp_path):
    """Names the postmaster in the configuration; without one, the machine."""

    def name(postmaster="", machine="www.example.org"):
        path = tmp_path / "maildrop.conf"
        home = f'MAILDROP_HOME="{tmp_path}"\n'
        path.write_text(f'{home}MAILDROP_POSTMASTER="{postmaster}"\n', "utf-8")
        monkeypatch.setenv("MAILDROP_CONFIG", str(path))
        monkeypatch.setattr(socket, "getfqdn", lambda: machine)

    return name


@pytest.mark.parametrize(
    ("names", "address"),
    [
        ({"postmaster": "post@müller.example"}, "post@xn--mller-kva.example"),
        ({"machine": "grün.example"}, "postmaster@xn--grn-ioa.example"),
        ({"postmaster": "Post@Example.org"}, "Post@Example.org"),
    ],
)
def test_the_from_address_is_ascii_as_plone_wants_it(
    plain_portal, install, named, names, address
):
    named(**names)

    install(plain_portal)

    assert getUtility(IRegistry)["plone.email_from_address"] == address


@pytest.mark.parametrize(
    "names",
    [{"postmaster": "grüße@example.org"}, {"machine": "-grün-.example"}],
)
def test_an_address_that_plone_does_not_take_is_left_to_the_administrator(
    plain_portal, install, uninstall, named, names, caplog
):
    named(**names)

    install(plain_portal)

    registry = getUtility(IRegistry)
    assert registry["plone.email_from_address"] is None
    assert "plone.email_from_address is not set, and cannot be" in caplog.text
    assert "Set it in Plone's Mail control panel" in caplog.text
    assert registry["plone.smtp_host"] == "localhost"
    assert registry["plone.email_from_name"]
    uninstall(plain_portal)
    assert not registry["plone.email_from_name"]


@pytest.mark.parametrize(
    ("title", "name"),
    [("Two\r\nlines", "Two lines"), (" \n", "Plone"), ("", "Plone"), (None, "Plone")],
)
def test_the_from_name_is_the_title_in_one_line(plain_portal, install, title, name):
    plain_portal.title = title

    install(plain_portal)

    assert getUtility(IRegistry)["plone.email_from_name"] == name
