"""The version of the default profile, which upgrade steps lead to."""

from __future__ import annotations

import tarfile
from io import BytesIO

from Products.GenericSetup.upgrade import _upgrade_registry

PROFILE = "collective.maildrophost:default"


def test_a_fresh_site_is_at_the_version_of_the_profile(portal):
    setup = portal.portal_setup

    assert setup.getLastVersionForProfile(PROFILE) == ("1001",)
    assert setup.getVersionForProfile(PROFILE) == "1001"


def test_no_upgrade_waits_in_a_fresh_site(portal):
    assert portal.portal_setup.listUpgrades(PROFILE) == []


def test_the_last_step_leads_to_the_version_of_the_profile(portal):
    steps = _upgrade_registry.getUpgradeStepsForProfile(PROFILE)

    assert max(step.dest for step in steps.values()) == ("1001",)


def control_panels(site):
    exported = site.portal_setup.runExportStep("controlpanel")["tarball"]
    with tarfile.open(fileobj=BytesIO(exported)) as files:
        return files.extractfile("controlpanel.xml").read().decode()


def make_first_version(site):
    """Take from the site what the first version of the profile did not bring."""
    site.portal_controlpanel.unregisterConfiglet("maildrophost")
    site.portal_setup.setLastVersionForProfile(PROFILE, "1000")


def test_a_site_of_the_first_version_gets_what_came_later(portal):
    fresh = control_panels(portal)
    assert "maildrophost-controlpanel" in fresh
    make_first_version(portal)
    assert "maildrophost-controlpanel" not in control_panels(portal)

    portal.portal_setup.upgradeProfile(PROFILE)

    assert control_panels(portal) == fresh
    assert portal.portal_setup.getLastVersionForProfile(PROFILE) == ("1001",)
    assert portal.portal_setup.listUpgrades(PROFILE) == []


def test_an_upgrade_keeps_tool_utility_and_settings(portal, tool_of, utility):
    make_first_version(portal)
    portal.MailHost.setTransactional(False)
    portal.MailHost.manage_addLocalRoles("somebody", ["Owner"])
    before = tool_of(portal)
    state = dict(vars(before))

    portal.portal_setup.upgradeProfile(PROFILE)

    assert tool_of(portal) is before is utility()
    assert vars(before) == state
