"""The layers of collective.maildrophost.testing as fixtures of pytest."""

from __future__ import annotations

from pathlib import Path

import pytest
import transaction
from Acquisition import aq_base
from layers import FIXTURES
from plone.app.testing import (
    SITE_OWNER_NAME,
    SITE_OWNER_PASSWORD,
    TEST_USER_ID,
    applyProfile,
    setRoles,
)
from plone.testing.zope import Browser
from Products.CMFCore.utils import getToolByName
from Products.GenericSetup import EXTENSION, profile_registry
from Products.MailHost.interfaces import IMailHost
from zope.component import getUtility

from collective.maildrophost.engine.queue import content, list_messages

HERE = Path(__file__).parent

DEFAULT = "collective.maildrophost:default"
UNINSTALL = "collective.maildrophost:uninstall"

globals().update(FIXTURES)


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items):
    # A Plone site takes seconds to make: one worker makes it once.
    for item in items:
        if HERE in Path(item.path).parents:
            item.add_marker(pytest.mark.xdist_group("plone"))


@pytest.fixture
def portal(integration_test):
    """A site with the add-on; what a test does to it is never committed."""
    site = integration_test["portal"]
    setRoles(site, TEST_USER_ID, ["Manager"])
    return site


@pytest.fixture
def committing_portal(functional_test):
    """A site with the add-on in a storage of its own: a test may commit."""
    site = functional_test["portal"]
    setRoles(site, TEST_USER_ID, ["Manager"])
    transaction.commit()
    return site


@pytest.fixture
def install():
    """Applies the default profile to a site."""
    return lambda site: applyProfile(site, DEFAULT)


@pytest.fixture
def uninstall():
    """Applies the uninstall profile to a site."""
    return lambda site: applyProfile(site, UNINSTALL)


@pytest.fixture
def plain_portal(portal, uninstall):
    """A site as it is without the add-on, with a MailHost that somebody has set up."""
    uninstall(portal)
    portal.moveObjectToPosition("MailHost", 1)
    mail_host = portal.MailHost
    mail_host.manage_makeChanges("Our mail", "smtp.example.org", 587, "me", "secret")
    mail_host.manage_setLocalRoles("somebody", ["Owner"])
    mail_host.manage_permission("View", ["Manager", "Editor"], acquire=0)
    return portal


@pytest.fixture
def tool_of():
    """What getToolByName finds in a site."""
    return lambda site: aq_base(getToolByName(site, "MailHost"))


@pytest.fixture
def utility():
    """What getUtility finds in the current site."""
    return lambda: aq_base(getUtility(IMailHost))


@pytest.fixture
def required_class():
    """The class that a site's toolset asks of its MailHost."""

    def of(site):
        toolset = site.portal_setup.getToolsetRegistry()
        return toolset.getRequiredToolInfo("MailHost")["class"]

    return of


@pytest.fixture
def addon_with_tools(tmp_path):
    """A profile of another add-on with a toolset.xml, which has nothing about mail."""
    (tmp_path / "toolset.xml").write_text(
        '<tool-setup><required tool_id="portal_other" class="OFS.Folder.Folder"/>'
        "</tool-setup>"
    )
    profile_registry.registerProfile(
        "tools", "Other", "", str(tmp_path), "plone.api", profile_type=EXTENSION
    )
    yield "profile-plone.api:tools"
    profile_registry.unregisterProfile("tools", "plone.api")


@pytest.fixture
def newsletter(list_configurations, tmp_path):
    """The key of a second configuration, listed in zope.conf."""
    path = tmp_path / "newsletter.conf"
    path.write_text(f'MAILDROP_HOME="{tmp_path}"\nMAILDROP_PASSWORD="tell nobody"\n')
    list_configurations(newsletter=path)
    return "newsletter"


@pytest.fixture
def queued(functional_test):
    """The queue's messages as pairs: what is known of one, with its content as text."""
    queue = functional_test["maildrop_queue"]

    def messages():
        with queue.read() as tx:
            return [
                (message, content(tx, message.id).decode())
                for message in list_messages(tx)
            ]

    return messages


@pytest.fixture
def visitor(functional_test, committing_portal):
    """A browser that nobody logged in; its requests end in real commits."""
    browser = Browser(functional_test["app"])
    browser.handleErrors = False
    return browser


@pytest.fixture
def owner(visitor):
    """The browser of the site's owner."""
    visitor.addHeader("Authorization", f"Basic {SITE_OWNER_NAME}:{SITE_OWNER_PASSWORD}")
    return visitor
