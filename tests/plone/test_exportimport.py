"""maildrophost.xml, written and read by GenericSetup."""

from __future__ import annotations

import tarfile
from io import BytesIO

import pytest
from Products.GenericSetup import EXTENSION, profile_registry
from Products.GenericSetup.interfaces import IBody
from Products.GenericSetup.tests.common import (
    DummyExportContext,
    DummyImportContext,
)
from zope.component import getMultiAdapter


def exported(site):
    context = DummyExportContext(site, site.portal_setup)
    return getMultiAdapter((site.MailHost, context), IBody).body.decode()


def import_body(site, body):
    context = DummyImportContext(site, purge=False, tool=site.portal_setup)
    getMultiAdapter((site.MailHost, context), IBody).body = body


def test_what_is_exported_can_be_imported(portal, newsletter):
    portal.MailHost.setConfigPath(newsletter)
    portal.MailHost.setTransactional(False)
    portal.MailHost.title = "Letters & more"
    body = exported(portal)
    portal.MailHost.setConfigPath("DEFAULT")
    portal.MailHost.setTransactional(True)
    portal.MailHost.title = ""

    import_body(portal, body)

    assert portal.MailHost.getConfigKey() == newsletter
    assert not portal.MailHost.isTransactional()
    assert portal.MailHost.title == "Letters & more"


def test_an_export_has_neither_password_nor_path(portal, newsletter, tmp_path):
    portal.MailHost.setConfigPath(newsletter)
    portal.MailHost.smtp_pwd = "tell nobody"

    body = exported(portal)

    assert 'configuration="newsletter"' in body
    assert "tell nobody" not in body
    assert str(tmp_path) not in body


def test_the_setup_tool_exports_maildrophost_xml_alone(portal):
    exported = portal.portal_setup.runExportStep("mailhost")["tarball"]

    with tarfile.open(fileobj=BytesIO(exported)) as files:
        assert files.getnames() == ["maildrophost.xml"]


def test_a_policy_profile_chooses_the_configuration(portal, newsletter, tmp_path):
    (tmp_path / "maildrophost.xml").write_text(
        '<object name="MailHost" configuration="newsletter"/>'
    )
    profile_registry.registerProfile(
        "policy", "Policy", "", str(tmp_path), "plone.api", profile_type=EXTENSION
    )
    try:
        portal.portal_setup.runAllImportStepsFromProfile("profile-plone.api:policy")
    finally:
        profile_registry.unregisterProfile("policy", "plone.api")

    assert portal.MailHost.getConfigKey() == "newsletter"


def test_what_is_not_named_stays(portal, newsletter):
    portal.MailHost.setConfigPath(newsletter)
    portal.MailHost.title = "Mine"

    import_body(portal, '<object name="MailHost" transactional="False"/>')

    assert portal.MailHost.getConfigKey() == newsletter
    assert portal.MailHost.title == "Mine"
    assert not portal.MailHost.isTransactional()


def test_an_unknown_configuration_says_which_there_are(portal):
    with pytest.raises(ValueError, match=r"'nowhere'.*DEFAULT"):
        import_body(portal, '<object name="MailHost" configuration="nowhere"/>')

    assert portal.MailHost.getConfigKey() == "DEFAULT"


def test_a_site_without_any_configuration_can_be_copied(portal, monkeypatch):
    monkeypatch.delenv("MAILDROP_CONFIG")

    import_body(portal, exported(portal))

    assert portal.MailHost.getConfigKey() == "DEFAULT"
