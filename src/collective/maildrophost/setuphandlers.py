"""The swap of a site's MailHost for a Maildrop Host, done so that it can be undone."""

from __future__ import annotations

import logging
from typing import Any

from AccessControl.Permission import pname
from Acquisition import aq_base
from plone.base.interfaces import INonInstallable
from Products.MailHost.interfaces import IMailHost
from zope.interface import implementer

from collective.maildrophost.installation import mailsettings
from collective.maildrophost.installation.leftmail import left_by
from collective.maildrophost.installation.sitemailhost import (
    TOOL_CLASS,
    exchange,
    give_out,
    mail_host_of,
    register,
    require_class,
    required_class,
    site_of,
    utility_of_another_addon,
)
from collective.maildrophost.installation.swap import (
    begin_swap,
    end_swap,
    put_maildrop_host_back,
    remove_renamed,
    swap_of,
)
from collective.maildrophost.interfaces import IMaildropHost
from collective.maildrophost.permissions import (
    ADD_MAILDROP_HOSTS,
    MANAGE_MAIL_QUEUE,
    VIEW_MAIL_TEXT,
)

logger = logging.getLogger(__name__)


@implementer(INonInstallable)
class HiddenProfiles:
    """Keeps the add-ons control panel from offering the uninstall profile."""

    def getNonInstallableProfiles(self) -> list[str]:
        """The profiles that nobody is to install directly."""
        return ["collective.maildrophost:uninstall"]


def install(setup_tool: Any) -> None:
    """Make the site's MailHost a Maildrop Host; nothing changes where it is one."""
    site = site_of(setup_tool)
    if swap_of(site) is None:
        _tell_of_mail_left_by(begin_swap(site).original)
    put_maildrop_host_back(site)


def fill_mail_settings(setup_tool: Any) -> None:
    """Give the mail settings a value where they have none."""
    site = site_of(setup_tool)
    if swap := swap_of(site):
        mailsettings.fill(site, swap.maildrop_host, swap.filled)


def uninstall(setup_tool: Any) -> None:
    """Bring the MailHost back as it was; a MailHost of another add-on stays."""
    site = site_of(setup_tool)
    given_out = utility_of_another_addon(site)
    if installed := swap_of(site):
        _tell_of_mail_in_the_queue_of(installed.maildrop_host)
        remove_renamed(site, installed.maildrop_host)
    swap = end_swap(site)
    current = mail_host_of(site)
    # Where somebody has deleted the tool, the registry still gives out ours.
    if IMaildropHost.providedBy(current) or not IMailHost.providedBy(current):
        exchange(site, swap.to_bring_back)
    register(site)
    if given_out is not None:
        give_out(site, given_out)
    if required_class(site) == TOOL_CLASS:
        require_class(site, swap.required_class)
    mailsettings.empty(site, swap.filled)
    _forget_permissions(site)
    # The add-ons panel does this itself; whoever applies the profile alone needs it.
    setup_tool.unsetLastVersionForProfile("collective.maildrophost:default")


def _tell_of_mail_left_by(original: Any) -> None:
    left = left_by(original)
    if left:
        logger.warning(
            "%d mails wait in the queue of the MailHost that was replaced, and no Zope "
            "delivers them once this one has been restarted. Take them over then: "
            "maildropctl import %s",
            left.count,
            left.directory,
        )


def _tell_of_mail_in_the_queue_of(maildrop_host: Any) -> None:
    waiting = maildrop_host.queueLength()
    if waiting and not isinstance(waiting, str):  # a text says why it is not known
        logger.warning(
            "%d mails of this site, or of others with its configuration, wait in the "
            "queue of %s: let its daemon run until they are sent",
            waiting,
            maildrop_host.getConfigPath(),
        )


def _forget_permissions(site: Any) -> None:
    # The site has an attribute for each permission whose roles somebody has changed.
    for permission in (MANAGE_MAIL_QUEUE, VIEW_MAIL_TEXT, ADD_MAILDROP_HOSTS):
        if pname(permission) in vars(aq_base(site)):
            delattr(site, pname(permission))
