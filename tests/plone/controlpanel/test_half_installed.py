"""A site that has the pages, but where the profile of the add-on was never applied.

So it is with a policy whose profile was made of another site's export.
"""

from __future__ import annotations

import pytest
import transaction
from Products.MailHost.interfaces import IMailHost
from Products.MailHost.MailHost import MailHost
from zope.component import getUtility

from collective.maildrophost import MaildropHost
from collective.maildrophost.controlpanel.mailhost import SiteMailHost

OURS = "profile-collective.maildrophost:default"
BACK = "Use the Maildrop Host again"


@pytest.fixture
def with_steps(committing_portal, uninstall):
    """Imports no more than these steps of the profile, and commits."""

    def run(*steps):
        uninstall(committing_portal)
        for step in ("browserlayer", *steps):
            committing_portal.portal_setup.runImportStepFromProfile(OURS, step)
        transaction.commit()

    return run


def test_plones_own_mail_panel_is_as_without_us(with_steps, panel):
    with_steps()

    panel.browser.open("http://nohost/plone/@@mail-controlpanel")

    assert panel.browser.getControl(name="form.widgets.smtp_host").value


@pytest.mark.parametrize("steps", [(), ("toolset",)])
def test_the_panel_tells_who_sends_and_takes_over(
    with_steps, panel, committing_portal, tool_of, steps
):
    with_steps(*steps)

    panel.open()
    assert "Products.MailHost.MailHost.MailHost sends now" in panel.text
    panel.browser.getControl(BACK).click()

    transaction.begin()
    host = tool_of(committing_portal)
    assert isinstance(host, MaildropHost)
    assert host is getUtility(IMailHost).aq_base


def test_settings_saved_there_are_those_it_takes_over_with(
    with_steps, panel, committing_portal
):
    with_steps()

    panel.open("settings")
    panel.browser.getControl("Title").value = "Our mail"
    panel.browser.getControl("Save").click()
    panel.browser.getControl(BACK).click()

    transaction.begin()
    assert committing_portal.MailHost.title == "Our mail"


def test_where_there_is_no_utility_the_tool_is_named(portal):
    portal.getSiteManager().unregisterUtility(provided=IMailHost)

    assert SiteMailHost.of(portal).replaced_by.endswith(".MaildropHost")


def test_uninstalling_brings_back_the_mailhost_that_it_took_over_from(
    with_steps, panel, committing_portal, uninstall, tool_of
):
    with_steps()
    before = tool_of(committing_portal)
    panel.open()
    panel.browser.getControl(BACK).click()

    transaction.begin()
    uninstall(committing_portal)

    assert tool_of(committing_portal) is before


def test_uninstalling_brings_a_plain_mailhost_where_none_was_left(
    with_steps, panel, committing_portal, uninstall, tool_of
):
    with_steps("toolset")
    panel.open()
    panel.browser.getControl(BACK).click()

    transaction.begin()
    uninstall(committing_portal)

    assert type(tool_of(committing_portal)) is MailHost
