"""Installing the add-on, uninstalling it, and whatever happens in between."""

from __future__ import annotations

import tarfile
from io import BytesIO

import pytest
import transaction
from Acquisition import aq_base
from plone.base.interfaces import INonInstallable
from plone.base.utils import get_installer
from plone.registry.interfaces import IRegistry
from Products.CMFCore.utils import getToolByName
from Products.GenericSetup import EXTENSION, profile_registry
from Products.MailHost.interfaces import IMailHost
from Products.MailHost.MailHost import MailHost
from ZODB.serialize import referencesf
from zope.component import getAllUtilitiesRegisteredFor, getUtility

from collective.maildrophost import MaildropHost
from collective.maildrophost.interfaces import IMaildropHost

PLONE = "profile-Products.CMFPlone:plone"


def tool_of(site):
    return aq_base(getToolByName(site, "MailHost"))


def utility():
    return aq_base(getUtility(IMailHost))


def required_class(site):
    toolset = site.portal_setup.getToolsetRegistry()
    return toolset.getRequiredToolInfo("MailHost")["class"]


@pytest.fixture
def plain_portal(portal, uninstall):
    """A site that never saw the add-on, with a MailHost that somebody cares for."""
    uninstall(portal)
    mail_host = portal.MailHost
    mail_host.manage_makeChanges("Our mail", "smtp.example.org", 587, "me", "secret")
    mail_host.manage_setLocalRoles("somebody", ["Owner"])
    mail_host.manage_permission("View", ["Manager", "Editor"], acquire=0)
    return portal


def test_tool_and_utility_are_the_same_maildrop_host(portal):
    assert type(tool_of(portal)) is MaildropHost
    assert utility() is tool_of(portal)
    assert portal.MailHost.getId() == "MailHost"


def test_the_maildrop_host_stands_where_the_mailhost_stood(plain_portal, install):
    order = list(plain_portal.objectIds())

    install(plain_portal)

    assert list(plain_portal.objectIds()) == order


def test_title_and_settings_go_along(plain_portal, install):
    install(plain_portal)

    mail_host = plain_portal.MailHost
    assert mail_host.title == "Our mail"
    assert (mail_host.smtp_host, mail_host.smtp_port) == ("smtp.example.org", 587)


def test_the_password_is_not_copied(plain_portal, install):
    install(plain_portal)

    assert "secret" not in vars(tool_of(plain_portal)).values()


def test_roles_permissions_and_ownership_go_along(plain_portal, install):
    before = plain_portal.MailHost
    expected = (
        before.get_local_roles(),
        before.rolesOfPermission("View"),
        before.acquiredRolesAreUsedBy("View"),
        before.getOwnerTuple(),
    )

    install(plain_portal)

    after = plain_portal.MailHost
    assert expected == (
        after.get_local_roles(),
        after.rolesOfPermission("View"),
        after.acquiredRolesAreUsedBy("View"),
        after.getOwnerTuple(),
    )


def test_changed_roles_of_the_maildrop_host_leave_the_original_alone(
    plain_portal, install, uninstall
):
    before = plain_portal.MailHost.get_local_roles()
    install(plain_portal)

    plain_portal.MailHost.manage_addLocalRoles("somebody", ["Editor"])
    uninstall(plain_portal)

    assert plain_portal.MailHost.get_local_roles() == before


def test_installing_twice_changes_nothing(portal, install):
    before = tool_of(portal)
    state = dict(vars(before))

    install(portal)

    assert tool_of(portal) is before
    assert utility() is before
    assert vars(before) == state


def test_installing_again_keeps_a_changed_configuration(portal, install, tmp_path):
    other = tmp_path / "other.conf"
    other.write_text(f'MAILDROP_HOME="{tmp_path}"\n')
    portal.MailHost.addConfigPath("other", str(other))
    portal.MailHost.setConfigPath("other")
    portal.MailHost.setTransactional(False)

    install(portal)

    assert portal.MailHost.getConfigKey() == "other"
    assert not portal.MailHost.isTransactional()


def test_uninstalling_brings_back_the_very_mailhost(plain_portal, install, uninstall):
    before = tool_of(plain_portal)
    state = dict(vars(before))
    order = list(plain_portal.objectIds())

    install(plain_portal)
    uninstall(plain_portal)

    assert tool_of(plain_portal) is before
    assert utility() is before
    assert vars(before) == state
    assert list(plain_portal.objectIds()) == order
    assert required_class(plain_portal) == "Products.MailHost.MailHost.MailHost"


def test_uninstalling_after_installing_twice_brings_back_the_very_mailhost(
    plain_portal, install, uninstall
):
    before = tool_of(plain_portal)

    install(plain_portal)
    install(plain_portal)
    uninstall(plain_portal)

    assert tool_of(plain_portal) is before


def test_install_and_uninstall_can_go_on_for_ever(plain_portal, install, uninstall):
    before = tool_of(plain_portal)
    for _ in range(2):
        install(plain_portal)
        assert utility() is tool_of(plain_portal)
        assert type(utility()) is MaildropHost
        uninstall(plain_portal)
        assert utility() is tool_of(plain_portal) is before


def test_uninstalling_twice_changes_nothing(plain_portal, uninstall):
    before = tool_of(plain_portal)

    uninstall(plain_portal)

    assert tool_of(plain_portal) is before


def test_the_uninstall_profile_alone_marks_the_addon_as_uninstalled(portal, uninstall):
    uninstall(portal)

    assert not get_installer(portal).is_product_installed("collective.maildrophost")


def test_the_addons_panel_installs_and_uninstalls(portal):
    installer = get_installer(portal)
    assert installer.is_product_installed("collective.maildrophost")

    assert installer.uninstall_product("collective.maildrophost")
    assert type(tool_of(portal)) is MailHost

    assert installer.install_product("collective.maildrophost")
    assert type(tool_of(portal)) is MaildropHost


def test_the_addons_panel_hides_the_uninstall_profile(portal):
    panel = portal.restrictedTraverse("@@prefs_install_products_form")

    addon = panel.get_addons()["collective.maildrophost"]

    assert addon["install_profile_id"] == "collective.maildrophost:default"
    assert addon["other_profiles"] == []
    hidden = [
        profile
        for each in getAllUtilitiesRegisteredFor(INonInstallable)
        for profile in getattr(each, "getNonInstallableProfiles", list)()
    ]
    assert "collective.maildrophost:uninstall" in hidden


def test_a_maildrop_host_added_by_hand_is_taken_as_it_is(plain_portal, install):
    plain_portal._delObject("MailHost")
    plain_portal._setObject("MailHost", MaildropHost("MailHost", "By hand"))
    by_hand = tool_of(plain_portal)
    by_hand.setTransactional(False)

    install(plain_portal)

    assert tool_of(plain_portal) is by_hand is utility()
    assert not by_hand.isTransactional()


def test_uninstalling_replaces_a_maildrop_host_added_by_hand(plain_portal, uninstall):
    plain_portal._delObject("MailHost")
    plain_portal._setObject("MailHost", MaildropHost("MailHost", "By hand"))

    uninstall(plain_portal)

    assert type(tool_of(plain_portal)) is MailHost
    assert utility() is tool_of(plain_portal)
    assert tool_of(plain_portal).title == "By hand"


def test_a_site_without_a_mailhost_gets_one(plain_portal, install, uninstall):
    plain_portal._delObject("MailHost")

    install(plain_portal)
    assert type(tool_of(plain_portal)) is MaildropHost
    assert utility() is tool_of(plain_portal)

    uninstall(plain_portal)
    assert type(tool_of(plain_portal)) is MailHost
    assert utility() is tool_of(plain_portal)


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


def test_a_toolset_of_another_addon_leaves_the_maildrop_host(portal, addon_with_tools):
    before = tool_of(portal)

    portal.portal_setup.runAllImportStepsFromProfile(addon_with_tools)

    assert "portal_other" in portal.objectIds()
    assert tool_of(portal) is before
    assert utility() is before


def test_a_toolset_of_another_addon_leaves_the_mailhost_after_uninstalling(
    portal, uninstall, addon_with_tools
):
    uninstall(portal)
    before = tool_of(portal)

    portal.portal_setup.runAllImportStepsFromProfile(addon_with_tools)

    assert tool_of(portal) is before
    assert utility() is before


@pytest.mark.parametrize("step", ["toolset", "mailhost", "componentregistry"])
def test_plones_own_steps_leave_the_maildrop_host(portal, step):
    before = tool_of(portal)
    state = dict(vars(before))

    portal.portal_setup.runImportStepFromProfile(PLONE, step)

    assert tool_of(portal) is before
    assert utility() is before
    assert vars(before) == state
    assert required_class(portal) == "collective.maildrophost.host.MaildropHost"


def test_a_maildrop_host_put_in_its_place_survives_plones_toolset(portal):
    portal._delObject("MailHost")
    portal._setObject("MailHost", MaildropHost("MailHost", "Another"))
    another = tool_of(portal)

    portal.portal_setup.runImportStepFromProfile(PLONE, "toolset")

    assert tool_of(portal) is another


def test_after_plones_toolset_uninstalling_still_brings_the_original(
    plain_portal, install, uninstall
):
    before = tool_of(plain_portal)
    install(plain_portal)

    plain_portal.portal_setup.runImportStepFromProfile(PLONE, "toolset")
    uninstall(plain_portal)

    assert tool_of(plain_portal) is before


def test_a_mailhost_of_another_addon_is_left_alone(portal, uninstall):
    portal._delObject("MailHost")
    portal._setObject("MailHost", OtherMailHost("MailHost"))

    uninstall(portal)

    assert type(tool_of(portal)) is OtherMailHost
    assert utility() is tool_of(portal)


class OtherMailHost(MailHost):
    """What another add-on may have put there on purpose."""


def test_a_site_without_the_addon_keeps_its_mailhost(plain_portal):
    plain_portal.portal_setup.runImportStepFromProfile(PLONE, "toolset")

    assert type(tool_of(plain_portal)) is MailHost
    assert not IMaildropHost.providedBy(utility())


def test_nothing_of_the_addon_is_exported_after_uninstalling(portal, uninstall):
    uninstall(portal)

    exported = portal.portal_setup.runAllExportSteps()["tarball"]
    with tarfile.open(fileobj=BytesIO(exported)) as files:
        members = [member for member in files.getmembers() if member.isfile()]
        texts = {each.name: files.extractfile(each).read() for each in members}
    assert "toolset.xml" in texts
    assert not [name for name, text in texts.items() if b"maildrop" in text.lower()]


def test_nothing_in_the_database_needs_the_addon_after_uninstalling(
    committing_portal, uninstall
):
    connection = committing_portal._p_jar
    uninstall(committing_portal)
    transaction.commit()

    def reachable(oids):
        seen = set()
        while oids:
            oid = oids.pop()
            if oid not in seen:
                seen.add(oid)
                record = connection.db().storage.load(oid)[0]
                oids.extend(referencesf(record))
                yield record

    root = connection.root()._p_oid
    # GenericSetup's log files keep the profiles' names, written with an underscore.
    ours = (b"collective.maildrophost.", b"collective.maildrophost:")
    records = list(reachable([root]))
    assert len(records) > 1000
    assert not [each for each in records if any(name in each for name in ours)]
