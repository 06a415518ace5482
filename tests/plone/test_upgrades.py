"""The version of the default profile, which upgrade steps lead to."""

from __future__ import annotations

from Products.GenericSetup.upgrade import _upgrade_registry

PROFILE = "collective.maildrophost:default"


def test_a_fresh_site_is_at_the_version_of_the_profile(portal):
    setup = portal.portal_setup

    assert setup.getLastVersionForProfile(PROFILE) == ("1000",)
    assert setup.getVersionForProfile(PROFILE) == "1000"


def test_no_upgrade_waits_in_a_fresh_site(portal):
    assert portal.portal_setup.listUpgrades(PROFILE) == []


def test_no_step_leads_beyond_the_version_of_the_profile(portal):
    steps = _upgrade_registry.getUpgradeStepsForProfile(PROFILE)

    assert all(step.dest <= ("1000",) for step in steps.values())
