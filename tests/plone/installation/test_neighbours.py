"""Add-ons that take the place of a MailHost, next to a Maildrop Host."""

from __future__ import annotations

import pytest
import transaction
from Acquisition import aq_base
from collective.MockMailHost.MockMailHost import MockMailHost as AddonMailHost
from plone import api
from plone.app.testing import applyProfile
from plone.app.testing.utils import MockMailHost as LayerMailHost
from plone.registry.interfaces import IRegistry
from Products.CMFPlone.tests.utils import MockMailHost as PloneMailHost
from Products.GenericSetup import EXTENSION, profile_registry
from Products.MailHost.interfaces import IMailHost
from Products.MailHost.MailHost import MailHost
from zope.component import getUtility

from collective.maildrophost import MaildropHost
from collective.maildrophost.installation.sitemailhost import TOOL_CLASS
from collective.maildrophost.installation.swap import (
    kept_maildrop_host,
    put_maildrop_host_back,
)

OURS = "collective.maildrophost:default"
PLONE = "profile-Products.CMFPlone:plone"


def send():
    api.portal.send_email(recipient="you@example.net", subject="Hello", body="Good bye")
    transaction.commit()


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
def staging(committing_portal, apply_mock_profile):
    """A site with collective.MockMailHost on top of the Maildrop Host."""
    apply_mock_profile()
    transaction.commit()
    committing_portal._p_jar.cacheMinimize()  # as another thread of Zope has it
    return committing_portal


@pytest.fixture
def import_addon(staging, addon_with_tools, tmp_path):
    """Installs an add-on with a toolset.xml and, before and after it, handlers."""

    def run(**handlers):
        profile = ("addon", "Addon", "", str(tmp_path), "plone.api", EXTENSION)
        profile_registry.registerProfile(*profile, **handlers)
        try:
            applyProfile(staging, "plone.api:addon")
        finally:
            profile_registry.unregisterProfile("addon", "plone.api")
        transaction.commit()

    return run


def collects(mail_host):
    """Whether a mail that somebody sends now is collected there."""
    before = len(mail_host.messages)
    send()
    return len(mail_host.messages) == before + 1


def test_on_a_staging_site_no_mail_leaves_after_an_addon_was_installed(
    staging, import_addon, tool_of, utility, queued
):
    mock = tool_of(staging)

    import_addon()

    assert "portal_other" in staging.objectIds()
    assert tool_of(staging) is mock is utility()
    assert collects(mock)
    assert queued() == []


def import_plones_tools(setup_tool):
    setup_tool.runImportStepFromProfile(PLONE, "toolset")


def import_plones_utilities(setup_tool):
    """Plone's toolset step, then what registers the tools as utilities."""
    setup_tool.runImportStepFromProfile(PLONE, "componentregistry")


@pytest.mark.parametrize("step", [import_plones_tools, import_plones_utilities])
def test_on_a_staging_site_plones_own_steps_change_nothing(
    staging, step, tool_of, utility, required_class
):
    mock = tool_of(staging)

    for _ in range(2):
        step(staging.portal_setup)

    assert tool_of(staging) is mock is utility()
    assert required_class(staging) == TOOL_CLASS


def look_it_up(setup_tool):
    assert getUtility(IMailHost) is not None


@pytest.mark.parametrize("moment", ["pre_handler", "post_handler"])
@pytest.mark.parametrize("handler", [look_it_up, import_plones_tools])
def test_what_an_addon_does_before_and_after_its_tools_makes_no_difference(
    staging, import_addon, tool_of, utility, moment, handler
):
    # An import within the import, or a mail that somebody sends meanwhile.
    mock = tool_of(staging)
    kept = kept_maildrop_host(staging)

    import_addon(**{moment: handler})

    assert tool_of(staging) is mock is utility()
    assert kept_maildrop_host(staging) is kept


def test_where_only_the_tool_was_replaced_only_the_tool_stays_replaced(
    staging, tool_of, utility
):
    mock, kept = tool_of(staging), kept_maildrop_host(staging)
    staging.getSiteManager().unregisterUtility(provided=IMailHost)
    staging.getSiteManager().registerUtility(kept, IMailHost)

    import_plones_utilities(staging.portal_setup)

    assert tool_of(staging) is mock
    assert utility() is kept


def test_an_addon_that_takes_the_mock_away_brings_the_maildrop_host_back(
    staging, import_addon, tool_of, utility
):
    def take_away(setup_tool):
        staging._delObject("MailHost")
        staging._setObject("MailHost", MailHost("MailHost"))

    import_addon(pre_handler=import_plones_tools, post_handler=take_away)

    assert tool_of(staging) is utility() is kept_maildrop_host(staging)


def test_nothing_is_remembered_of_an_import_that_failed(staging, import_addon, tool_of):
    def fail(setup_tool):
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError):
        import_addon(post_handler=fail)
    transaction.abort()
    staging._delObject("MailHost")
    staging._setObject("MailHost", MaildropHost("MailHost", "By hand"))
    transaction.commit()

    import_addon()

    assert tool_of(staging).title == "By hand"


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


def maildrop_host_alone(site, tool_of):
    """Whether the Maildrop Host is all that anybody finds who asks for a MailHost."""
    registry = site.getSiteManager()
    found = [tool_of(site), aq_base(registry.getUtility(IMailHost))]
    found += map(aq_base, registry.getAllUtilitiesRegisteredFor(IMailHost))
    return all(type(each) is MaildropHost and each is found[0] for each in found)


@pytest.mark.parametrize(
    "bring_back",
    [
        put_maildrop_host_back,
        lambda site: import_plones_tools(site.portal_setup),
        lambda site: applyProfile(site, OURS),
    ],
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
