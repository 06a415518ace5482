"""Nothing of the add-on stays in a site from which it was uninstalled."""

from __future__ import annotations

import re
import tarfile
from io import BytesIO

import pytest
import transaction
from ZODB.serialize import referencesf
from zope.annotation.interfaces import IAnnotations

from collective.maildrophost.permissions import (
    ADD_MAILDROP_HOSTS,
    MANAGE_MAIL_QUEUE,
    VIEW_MAIL_TEXT,
)


def exported(site):
    """Everything that GenericSetup knows of a site: names of files with their text."""
    tarball = site.portal_setup.runAllExportSteps()["tarball"]
    with tarfile.open(fileobj=BytesIO(tarball)) as files:
        members = [member for member in files.getmembers() if member.isfile()]
        texts = {each.name: files.extractfile(each).read() for each in members}
    # A field of Plone's has the time of its export in it.
    timestamp = rb"<default>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+</default>"
    return {name: re.sub(timestamp, b"", text) for name, text in texts.items()}


def registered(site):
    """The site's own utilities and adapters."""
    registry = site.getSiteManager()
    return (
        {(each.provided, each.name) for each in registry.registeredUtilities()},
        {(each.provided, each.name) for each in registry.registeredAdapters()},
    )


def test_nothing_of_the_addon_is_exported_after_uninstalling(portal, uninstall):
    assert [name for name, text in exported(portal).items() if b"maildrop" in text]

    uninstall(portal)

    texts = exported(portal)
    assert "toolset.xml" in texts
    assert not [name for name, text in texts.items() if b"maildrop" in text.lower()]


def test_after_uninstalling_the_site_is_as_it_was(plain_portal, install, uninstall):
    def state():
        return (
            exported(plain_portal),
            registered(plain_portal),
            set(vars(plain_portal)),
            set(IAnnotations(plain_portal)),
        )

    before = state()

    install(plain_portal)
    assert state() != before
    uninstall(plain_portal)

    assert state() == before


@pytest.mark.parametrize(
    "permission", [MANAGE_MAIL_QUEUE, VIEW_MAIL_TEXT, ADD_MAILDROP_HOSTS]
)
def test_it_is_forgotten_to_whom_our_permissions_were_given(
    portal, uninstall, permission
):
    before = set(vars(portal))
    portal.manage_permission(permission, ["Editor"], acquire=0)
    assert set(vars(portal)) != before

    uninstall(portal)

    assert not set(vars(portal)) - before


def test_the_entry_in_the_site_setup_goes(portal, uninstall):
    panels = portal.portal_controlpanel
    assert "maildrophost" in [each.getId() for each in panels.listActions()]

    uninstall(portal)

    assert "maildrophost" not in [each.getId() for each in panels.listActions()]


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
