"""The swap of a site's MailHost for a Maildrop Host."""

from __future__ import annotations

import pytest
import transaction
from Acquisition import aq_base
from OFS.Folder import Folder
from OFS.SimpleItem import SimpleItem
from Products.MailHost.interfaces import IMailHost
from Products.MailHost.MailHost import MailHost
from zope.interface import implementer

from collective.maildrophost import MaildropHost
from collective.maildrophost.installation.leftmail import left_by
from collective.maildrophost.installation.swap import put_maildrop_host_back, swap_of


def test_tool_and_utility_are_the_same_maildrop_host(portal, tool_of, utility):
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


def test_the_password_is_not_copied(plain_portal, install, tool_of):
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


def test_installing_twice_changes_nothing(portal, install, tool_of, utility):
    before = tool_of(portal)
    state = dict(vars(before))

    install(portal)

    assert tool_of(portal) is before
    assert utility() is before
    assert vars(before) == state


def test_installing_again_keeps_a_changed_configuration(portal, install, newsletter):
    portal.MailHost.setConfigPath(newsletter)
    portal.MailHost.setTransactional(False)

    install(portal)

    assert portal.MailHost.getConfigKey() == newsletter
    assert not portal.MailHost.isTransactional()


@pytest.mark.parametrize("deleted", [False, True])
def test_a_renamed_maildrop_host_comes_back_under_its_name(
    portal, install, tool_of, deleted
):
    before = tool_of(portal)
    transaction.savepoint()  # what is renamed must be in the database
    portal.manage_renameObject("MailHost", "Post")
    if deleted:
        portal._delObject("Post")

    install(portal)

    assert tool_of(portal) is before
    assert portal.MailHost.getId() == "MailHost"
    assert "Post" not in portal.objectIds()


def test_a_copy_comes_back_of_a_maildrop_host_that_was_moved_elsewhere(
    portal, install, tool_of, utility, newsletter
):
    portal.MailHost.setConfigPath(newsletter)
    portal.MailHost.manage_setLocalRoles("one", ["Owner"])
    portal._setObject("post", Folder("post"))
    transaction.savepoint()  # what is moved must be in the database
    portal.post.manage_pasteObjects(portal.manage_cutObjects(["MailHost"]))
    moved = portal.post.MailHost

    install(portal)

    assert tool_of(portal) is utility() is not aq_base(moved)
    assert portal.MailHost.getConfigKey() == newsletter
    moved.setConfigPath("DEFAULT")
    moved.manage_setLocalRoles("two", ["Owner"])
    assert portal.MailHost.getConfigKey() == newsletter
    assert "two" not in portal.MailHost.users_with_local_role("Owner")


def test_another_maildrop_host_that_is_renamed_is_not_taken_for_the_sites(
    portal, tool_of
):
    before = tool_of(portal)
    portal._setObject("second", MaildropHost("second"))
    transaction.savepoint()
    portal.manage_renameObject("second", "third")

    put_maildrop_host_back(portal)

    assert tool_of(portal) is before


def test_a_maildrop_host_that_was_moved_away_and_back_is_the_one_that_is_kept(
    portal, install, newsletter
):
    portal._setObject("post", Folder("post"))
    transaction.savepoint()
    portal.post.manage_pasteObjects(portal.manage_cutObjects(["MailHost"]))
    portal.manage_pasteObjects(portal.post.manage_cutObjects(["MailHost"]))
    portal.MailHost.setConfigPath(newsletter)
    portal.post.manage_pasteObjects(portal.manage_cutObjects(["MailHost"]))

    install(portal)

    assert portal.MailHost.getConfigKey() == newsletter


def test_a_maildrop_host_added_by_hand_is_taken_as_it_is(
    plain_portal, install, tool_of, utility
):
    plain_portal._delObject("MailHost")
    plain_portal._setObject("MailHost", MaildropHost("MailHost", "By hand"))
    by_hand = tool_of(plain_portal)
    by_hand.setTransactional(False)

    install(plain_portal)

    assert tool_of(plain_portal) is by_hand is utility()
    assert not by_hand.isTransactional()


def test_a_site_without_a_mailhost_gets_one(
    plain_portal, install, uninstall, tool_of, utility
):
    plain_portal._delObject("MailHost")

    install(plain_portal)
    assert type(tool_of(plain_portal)) is MaildropHost
    assert utility() is tool_of(plain_portal)

    uninstall(plain_portal)
    assert type(tool_of(plain_portal)) is MailHost
    assert utility() is tool_of(plain_portal)


@pytest.fixture
def maildir(tmp_path):
    """The queue of a MailHost, with three mails that wait and one thrown out."""
    for folder in ("new", "cur", "tmp"):
        (tmp_path / folder).mkdir()
    for name in ("new/1", "new/2", ".sending-2", "cur/3", ".rejected-4", "tmp/5"):
        folder, _, name = name.rpartition("/")
        (tmp_path / (folder or "new") / name).touch()
    return tmp_path


def test_the_log_tells_of_mail_in_the_queue_of_the_old_mailhost(
    plain_portal, install, maildir, caplog
):
    plain_portal.MailHost.smtp_queue = True
    plain_portal.MailHost.smtp_queue_directory = str(maildir)

    install(plain_portal)

    assert "3 mails wait" in caplog.text
    assert f"maildropctl import {maildir}" in caplog.text


@pytest.mark.parametrize(("used", "directory"), [(False, ""), (True, "not-there")])
def test_the_log_says_nothing_when_the_old_mailhost_has_no_mail(
    plain_portal, install, maildir, caplog, used, directory
):
    plain_portal.MailHost.smtp_queue = used
    plain_portal.MailHost.smtp_queue_directory = str(maildir / directory)

    install(plain_portal)

    assert "maildropctl import" not in caplog.text


@implementer(IMailHost)
class QueuesElsewhere(SimpleItem):
    """A MailHost that is not made of Products.MailHost's."""

    id, title, smtp_queue = "MailHost", "", True


def test_a_mailhost_whose_queue_is_of_another_kind_is_replaced(
    plain_portal, install, tool_of
):
    plain_portal._delObject("MailHost")
    plain_portal._setObject("MailHost", QueuesElsewhere())
    plain_portal.getSiteManager().registerUtility(plain_portal.MailHost, IMailHost)

    install(plain_portal)

    assert type(tool_of(plain_portal)) is MaildropHost
    original = swap_of(plain_portal).original
    assert type(original) is QueuesElsewhere
    # The control panel's first page asks at each visit.
    assert left_by(original) is None
