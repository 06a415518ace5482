"""The mail for a lost password, which another add-on may have written anew."""

from __future__ import annotations

import pytest
from plone.browserlayer.utils import registered_layers
from Products.Five import BrowserView
from Products.MailHost.interfaces import IMailHost
from Products.MailHost.MailHost import MailHost
from zope.component import getGlobalSiteManager, getMultiAdapter
from zope.interface import Interface, directlyProvidedBy, directlyProvides
from zope.publisher.interfaces.browser import IDefaultBrowserLayer

from collective.maildrophost.browserlayer import IMaildropHostLayer

NAME = "mail_password_template"


class ITheirLayer(IDefaultBrowserLayer):
    """What another add-on marks its requests with."""


class TheirMail(BrowserView):
    """Another add-on's text."""

    def __call__(self, **options):
        return f"\nTo: {options['member']}\n\nTheir text"


LAYERS = IMaildropHostLayer, ITheirLayer


@pytest.fixture(params=[LAYERS, LAYERS[::-1]], ids=["ours first", "theirs first"])
def view(request, portal):
    """The view as a request of both add-ons finds it, whichever was installed first."""
    required = (Interface, ITheirLayer)
    registry = getGlobalSiteManager()
    registry.registerAdapter(TheirMail, required, Interface, NAME)
    directlyProvides(portal.REQUEST, *request.param, directlyProvidedBy(portal.REQUEST))
    yield getMultiAdapter((portal.portal_registration, portal.REQUEST), name=NAME)
    registry.unregisterAdapter(TheirMail, required, Interface, NAME)


def test_the_text_of_another_addon_gets_its_lane(view):
    assert view(member="me@example.net") == (
        "X-Maildrop-Lane: interactive\nTo: me@example.net\n\nTheir text"
    )


def test_another_mailhost_never_sees_the_lane(view, portal):
    portal.getSiteManager().registerUtility(MailHost("MailHost"), IMailHost)

    assert view(member="me@example.net") == "\nTo: me@example.net\n\nTheir text"


def test_the_layer_is_there_until_the_addon_is_uninstalled(portal, uninstall):
    assert IMaildropHostLayer in registered_layers()

    uninstall(portal)

    assert IMaildropHostLayer not in registered_layers()
