"""The page with the settings, and a Maildrop Host that another has displaced."""

from __future__ import annotations

import pytest
import transaction
from Products.MailHost.interfaces import IMailHost
from Products.MailHost.MailHost import MailHost
from zope.component import getSiteManager

from collective.maildrophost import MaildropHost
from collective.maildrophost.controlpanel.mailhost import SiteMailHost


def test_the_settings_show_the_configuration_without_its_secrets(panel, configure):
    configure('MAILDROP_LOGIN="me"\nMAILDROP_PASSWORD="tell nobody"\n')
    panel.open("settings")
    assert "MAILDROP_LOGIN me" in panel.text
    assert "MAILDROP_PASSWORD ••••" in panel.text
    assert "tell nobody" not in panel.browser.contents


def test_settings_are_saved(panel, committing_portal):
    panel.open("settings")
    panel.browser.getControl("Title").value = "Our mail"
    panel.browser.getControl("Send with the transaction").selected = False
    panel.browser.getControl("Save").click()
    assert "Changes saved." in panel.text
    transaction.begin()
    host = committing_portal.MailHost
    assert host.title == "Our mail"
    assert not host.isTransactional()


@pytest.fixture
def replaced(committing_portal, newsletter):
    """Another MailHost is in the site; ours, which is kept, uses the newsletter."""
    committing_portal.MailHost.setConfigPath(newsletter)
    committing_portal._delObject("MailHost")
    committing_portal._setObject("MailHost", MailHost("MailHost"))
    getSiteManager().registerUtility(committing_portal.MailHost, IMailHost)
    transaction.commit()


def test_a_title_is_saved_while_the_configuration_in_use_is_broken(
    panel, replaced, committing_portal, tmp_path
):
    (tmp_path / "newsletter.conf").write_text("SMTP_PORT=many\n")
    panel.open("settings")
    panel.browser.getControl("Title").value = "Our mail"
    panel.browser.getControl("Save").click()
    assert "Changes saved." in panel.text
    transaction.begin()
    kept = SiteMailHost.of(committing_portal)
    assert not kept.in_use
    assert kept.host.title == "Our mail"


def test_a_replaced_mailhost_is_reported_and_repaired(
    panel, replaced, committing_portal
):
    panel.open("queue")
    assert "does not send its mail through the Maildrop Host" in panel.text
    assert "Products.MailHost.MailHost.MailHost" in panel.text
    panel.browser.getControl("Use the Maildrop Host again").click()

    transaction.begin()
    assert isinstance(committing_portal.MailHost, MaildropHost)
    assert "does not send its mail" not in panel.text
