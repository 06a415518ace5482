"""Import steps of other profiles, which may displace any tool."""

from __future__ import annotations

from pathlib import Path

import pytest
import transaction
from Acquisition import aq_base
from Products.GenericSetup.events import BeforeProfileImportEvent, ProfileImportedEvent
from Products.GenericSetup.registry import ToolsetRegistry
from Products.MailHost.MailHost import MailHost
from zope.event import notify

from collective.maildrophost import MaildropHost, setuphandlers
from collective.maildrophost.installation.sitemailhost import TOOL_CLASS
from collective.maildrophost.installation.swap import put_maildrop_host_back
from collective.maildrophost.interfaces import IMaildropHost

TOOLSET = "profiles/default/toolset.xml"
PLONE = "profile-Products.CMFPlone:plone"


def test_a_toolset_of_another_addon_leaves_the_maildrop_host(
    portal, addon_with_tools, tool_of, utility
):
    before = tool_of(portal)

    portal.portal_setup.runAllImportStepsFromProfile(addon_with_tools)

    assert "portal_other" in portal.objectIds()
    assert tool_of(portal) is before
    assert utility() is before


def test_a_toolset_of_another_addon_leaves_the_mailhost_after_uninstalling(
    portal, uninstall, addon_with_tools, tool_of, utility
):
    uninstall(portal)
    before = tool_of(portal)

    portal.portal_setup.runAllImportStepsFromProfile(addon_with_tools)

    assert tool_of(portal) is before
    assert utility() is before


@pytest.mark.parametrize("by_hand", [False, True])
def test_a_profile_that_asks_for_a_plain_mailhost_does_not_get_it(
    portal, addon_with_tools, by_hand, tmp_path, tool_of, utility, required_class
):
    portal.MailHost.setTransactional(False)
    before = tool_of(portal)
    (tmp_path / "toolset.xml").write_text(
        '<tool-setup><required tool_id="MailHost" '
        'class="Products.MailHost.MailHost.MailHost"/></tool-setup>'
    )

    if by_hand:
        portal.portal_setup.runImportStepFromProfile(addon_with_tools, "toolset")
    else:
        portal.portal_setup.runAllImportStepsFromProfile(addon_with_tools)

    assert tool_of(portal) is before is utility()
    assert not portal.MailHost.isTransactional()
    assert required_class(portal) == TOOL_CLASS


@pytest.mark.parametrize(
    "step",
    ["toolset", "mailhost", "componentregistry", "rolemap", "plone.app.registry"],
)
def test_plones_own_steps_leave_the_maildrop_host(
    portal, step, tool_of, utility, required_class
):
    portal.MailHost.title = "Mine"
    portal.MailHost.setTransactional(False)
    portal.MailHost.manage_addLocalRoles("somebody", ["Owner"])
    portal.MailHost.manage_permission("View", ["Manager", "Editor"], acquire=0)
    before = tool_of(portal)
    state = dict(vars(before))

    portal.portal_setup.runImportStepFromProfile(PLONE, step)

    assert tool_of(portal) is before
    assert utility() is before
    assert vars(before) == state
    assert required_class(portal) == "collective.maildrophost.host.MaildropHost"


def test_the_entry_that_plones_own_control_panels_displace_comes_back(portal, install):
    panels = portal.portal_controlpanel
    portal.portal_setup.runImportStepFromProfile(
        PLONE, "controlpanel", run_dependencies=False
    )
    assert "maildrophost" not in [each.getId() for each in panels.listActions()]

    install(portal)

    assert "maildrophost" in [each.getId() for each in panels.listActions()]


def test_toolset_xml_asks_for_the_class_that_the_swap_puts_there(
    portal, required_class
):
    toolset = ToolsetRegistry()
    toolset.parseXML((Path(setuphandlers.__file__).parent / TOOLSET).read_bytes())

    required = toolset.getRequiredToolInfo("MailHost")
    assert required["class"] == required_class(portal) == TOOL_CLASS


def test_a_maildrop_host_put_in_its_place_survives_plones_toolset(portal, tool_of):
    portal._delObject("MailHost")
    portal._setObject("MailHost", MaildropHost("MailHost", "Another"))
    another = tool_of(portal)

    portal.portal_setup.runImportStepFromProfile(PLONE, "toolset")

    assert tool_of(portal) is another


def test_what_puts_the_maildrop_host_back_is_stored(
    committing_portal, tool_of, utility, required_class
):
    setup_tool = committing_portal.portal_setup
    setup_tool.getToolsetRegistry().addRequiredTool("MailHost", "some.other.MailHost")
    setup_tool._p_changed = True
    committing_portal._delObject("MailHost")
    committing_portal._setObject("MailHost", MailHost("MailHost"))
    transaction.commit()

    put_maildrop_host_back(committing_portal)
    transaction.commit()
    committing_portal._p_jar.cacheMinimize()

    assert type(tool_of(committing_portal)) is MaildropHost
    assert utility() is tool_of(committing_portal)
    assert required_class(committing_portal) == TOOL_CLASS


def test_after_plones_toolset_uninstalling_still_brings_the_original(
    plain_portal, install, uninstall, tool_of
):
    before = tool_of(plain_portal)
    install(plain_portal)

    plain_portal.portal_setup.runImportStepFromProfile(PLONE, "toolset")
    uninstall(plain_portal)

    assert tool_of(plain_portal) is before


def test_a_site_without_the_addon_keeps_its_mailhost(plain_portal, tool_of, utility):
    plain_portal.portal_setup.runImportStepFromProfile(PLONE, "toolset")

    assert type(tool_of(plain_portal)) is MailHost
    assert not IMaildropHost.providedBy(utility())


def test_a_setup_tool_without_its_site_imports_as_without_us(portal):
    tool = aq_base(portal.portal_setup)
    for event in (BeforeProfileImportEvent, ProfileImportedEvent):
        notify(event(tool, "profile-some:addon", ["toolset"], False))
