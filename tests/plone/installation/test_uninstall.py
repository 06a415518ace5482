"""Uninstalling the add-on: what was there before comes back."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest
import transaction
from plone.base.interfaces import INonInstallable
from plone.base.utils import get_installer
from Products.MailHost.MailHost import MailHost
from zope.component import getAllUtilitiesRegisteredFor
from Zope2.App.ClassFactory import ClassFactory

from collective.maildrophost import MaildropHost
from collective.maildrophost.installation.sitemailhost import give_out


def test_uninstalling_brings_back_the_very_mailhost(
    plain_portal, install, uninstall, tool_of, utility, required_class
):
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
    plain_portal, install, uninstall, tool_of
):
    before = tool_of(plain_portal)

    install(plain_portal)
    install(plain_portal)
    uninstall(plain_portal)

    assert tool_of(plain_portal) is before


def test_installing_and_uninstalling_can_be_repeated(
    plain_portal, install, uninstall, tool_of, utility
):
    before = tool_of(plain_portal)
    for _ in range(2):
        install(plain_portal)
        assert utility() is tool_of(plain_portal)
        assert type(utility()) is MaildropHost
        uninstall(plain_portal)
        assert utility() is tool_of(plain_portal) is before


def test_uninstalling_twice_changes_nothing(plain_portal, uninstall, tool_of):
    before = tool_of(plain_portal)

    uninstall(plain_portal)

    assert tool_of(plain_portal) is before


def test_the_uninstall_profile_alone_marks_the_addon_as_uninstalled(portal, uninstall):
    uninstall(portal)

    assert not get_installer(portal).is_product_installed("collective.maildrophost")


def test_the_addons_panel_installs_and_uninstalls(portal, tool_of):
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


def test_uninstalling_replaces_a_maildrop_host_added_by_hand(
    plain_portal, uninstall, tool_of, utility
):
    plain_portal._delObject("MailHost")
    plain_portal._setObject("MailHost", MaildropHost("MailHost", "By hand"))

    uninstall(plain_portal)

    assert type(tool_of(plain_portal)) is MailHost
    assert utility() is tool_of(plain_portal)
    assert tool_of(plain_portal).title == "By hand"


def test_a_mailhost_of_another_addon_is_left_alone(portal, uninstall, tool_of, utility):
    portal._delObject("MailHost")
    portal._setObject("MailHost", OtherMailHost("MailHost"))

    uninstall(portal)

    assert type(tool_of(portal)) is OtherMailHost
    assert utility() is tool_of(portal)


def test_a_site_whose_maildrop_host_was_deleted_gets_its_mailhost_back(
    plain_portal, install, uninstall, tool_of, utility
):
    before = tool_of(plain_portal)
    install(plain_portal)
    plain_portal._delObject("MailHost")

    uninstall(plain_portal)

    assert tool_of(plain_portal) is before is utility()


def test_a_renamed_maildrop_host_goes_as_well(
    plain_portal, install, uninstall, tool_of, utility
):
    before = tool_of(plain_portal)
    install(plain_portal)
    transaction.savepoint()  # what is renamed must be in the database
    plain_portal.manage_renameObject("MailHost", "Post")

    uninstall(plain_portal)

    assert tool_of(plain_portal) is before is utility()
    assert "Post" not in plain_portal.objectIds()


def test_a_utility_that_another_addon_has_registered_is_left_alone(
    plain_portal, install, uninstall, tool_of, utility
):
    before = tool_of(plain_portal)
    install(plain_portal)
    staging = OtherMailHost("staging")
    give_out(plain_portal, staging)

    uninstall(plain_portal)

    assert tool_of(plain_portal) is before
    assert utility() is staging


class OtherMailHost(MailHost):
    """What another add-on may have put there on purpose."""


@pytest.fixture
def passing_addon(committing_portal, monkeypatch):
    """Its MailHost takes the tool's place, until the product is gone."""
    site, name = committing_portal, "passing_addon"
    product = ModuleType(name)
    product.AddonMailHost = type("AddonMailHost", (MailHost,), {"__module__": name})
    monkeypatch.setitem(sys.modules, name, product)

    def take_place():
        site._delObject("MailHost")
        site._setObject("MailHost", product.AddonMailHost("MailHost"))

    def go():
        transaction.commit()
        monkeypatch.delitem(sys.modules, name)
        # What Zope gives its databases; plone.testing leaves it out.
        monkeypatch.setattr(site._p_jar._reader, "_factory", ClassFactory)
        site._p_jar.cacheMinimize()

    return take_place, go


@pytest.mark.parametrize("installed", ["before", "after"])
def test_no_mailhost_comes_back_whose_product_is_gone(
    committing_portal, passing_addon, install, uninstall, tool_of, utility, installed
):
    take_place, go = passing_addon
    uninstall(committing_portal)
    steps = [lambda: install(committing_portal), take_place]
    for step in steps if installed == "before" else reversed(steps):
        step()
    go()

    uninstall(committing_portal)

    assert type(tool_of(committing_portal)) is MailHost
    assert utility() is tool_of(committing_portal)
