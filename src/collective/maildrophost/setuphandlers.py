"""The swap of a site's MailHost for a Maildrop Host, done so that it can be undone.

The very MailHost object that was replaced is kept, in an annotation of the site:
nothing that was set on it, or that an add-on hung on it, can get lost in a copy. The
annotation is on the site, not on the Maildrop Host, because a toolset step of another
profile may delete any tool.
"""

from __future__ import annotations

import logging
from copy import deepcopy
from typing import Any

from AccessControl.Permission import pname
from Acquisition import aq_base
from persistent.mapping import PersistentMapping
from plone.base.interfaces import INonInstallable
from Products.MailHost.interfaces import IMailHost
from Products.MailHost.MailHost import MailHost
from zope.annotation.interfaces import IAnnotations
from zope.interface import implementer

from collective.maildrophost import oldhost
from collective.maildrophost.host import MaildropHost
from collective.maildrophost.installation import mailsettings
from collective.maildrophost.installation.leftmail import left_by
from collective.maildrophost.installation.sitemailhost import (
    TOOL_CLASS,
    TOOL_ID,
    exchange,
    mail_host_of,
    register,
    require_class,
    require_maildrop_host,
    required_class,
    site_of,
)
from collective.maildrophost.interfaces import IMaildropHost
from collective.maildrophost.permissions import (
    ADD_MAILDROP_HOSTS,
    MANAGE_MAIL_QUEUE,
    VIEW_MAIL_TEXT,
)

logger = logging.getLogger(__name__)

PLAIN_CLASS = "Products.MailHost.MailHost.MailHost"
SWAP = "collective.maildrophost.swap"
"""The annotation of the site; there as long as the add-on is installed."""


@implementer(INonInstallable)
class HiddenProfiles:
    """Keeps the add-ons control panel from offering the uninstall profile."""

    def getNonInstallableProfiles(self) -> list[str]:
        return ["collective.maildrophost:uninstall"]


def install(setup_tool: Any) -> None:
    """Make the site's MailHost a Maildrop Host; nothing changes where it is one."""
    site = site_of(setup_tool)
    annotations = IAnnotations(site)
    if SWAP not in annotations:
        annotations[SWAP] = _begin_swap(site, setup_tool)
        _tell_of_mail_left_by(annotations[SWAP]["original"])
    put_maildrop_host_back(site)


def fill_mail_settings(setup_tool: Any) -> None:
    """Give the mail settings a value where they have none."""
    site = site_of(setup_tool)
    swap = IAnnotations(site)[SWAP]
    mailsettings.fill(site, swap["maildrop_host"], swap["filled"])


def uninstall(setup_tool: Any) -> None:
    """Bring the MailHost back as it was; a MailHost of another add-on stays."""
    site = site_of(setup_tool)
    swap = IAnnotations(site).pop(SWAP, None) or _begin_swap(site, setup_tool)
    if IMaildropHost.providedBy(mail_host_of(site)):
        exchange(site, swap["original"])
    register(site)
    if required_class(setup_tool) == TOOL_CLASS:
        require_class(setup_tool, swap["required_class"])
    mailsettings.empty(site, swap["filled"])
    _forget_permissions(site)
    # Applied by itself, not through the add-ons panel, the profile has to see to that.
    setup_tool.unsetLastVersionForProfile("collective.maildrophost:default")


def put_maildrop_host_back(site: Any) -> None:
    """Make the Maildrop Host kept at the installation the site's MailHost again."""
    kept = IAnnotations(site)[SWAP]["maildrop_host"]
    if mail_host_of(site) is not kept:
        exchange(site, kept)
    register(site)
    require_maildrop_host(site)


def swap_of(site: Any) -> Any:
    annotations = IAnnotations(site, None)
    return None if annotations is None else annotations.get(SWAP)


def _begin_swap(site: Any, setup_tool: Any) -> PersistentMapping:
    current = mail_host_of(site)
    if IMaildropHost.providedBy(current):
        # Added by hand: its settings stay, and what it replaced is not known.
        original = MailHost(TOOL_ID, current.title)
        maildrop_host = current
    else:
        # Where there is none, or one whose product is gone, a plain one comes back.
        original = current if IMailHost.providedBy(current) else MailHost(TOOL_ID)
        maildrop_host = _maildrop_host_from(current) or _maildrop_host_like(original)
    required = required_class(setup_tool)
    return PersistentMapping(
        original=original,
        maildrop_host=maildrop_host,
        required_class=PLAIN_CLASS if required in (None, TOOL_CLASS) else required,
        filled=PersistentMapping(),
    )


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


_SETTINGS = (
    "smtp_host",
    "smtp_port",
    "smtp_uid",
    "force_tls",
    "implicit_tls",
)
"""Kept readable for other add-ons. The password stays on the original alone."""

_SECURITY = (
    "_owner",
    "__ac_local_roles__",
    "__ac_local_roles_block__",
    "__ac_roles__",
)


def _maildrop_host_from(current: Any) -> MaildropHost | None:
    """One of ours for that of Products.MaildropHost, whose class is not there."""
    state = oldhost.state_of(current)
    if state is None:
        return None
    maildrop_host = MaildropHost(TOOL_ID)
    maildrop_host.__setstate__(deepcopy(dict(state)))
    return maildrop_host


def _maildrop_host_like(original: Any) -> MaildropHost:
    maildrop_host = MaildropHost(TOOL_ID, original.title)
    for name, value in vars(original).items():
        permission = name.startswith("_") and name.endswith("_Permission")
        if permission or name in _SECURITY or name in _SETTINGS:
            setattr(maildrop_host, name, deepcopy(value))
    return maildrop_host


def _forget_permissions(site: Any) -> None:
    # Who may do what, where somebody has changed it in the site.
    for permission in (MANAGE_MAIL_QUEUE, VIEW_MAIL_TEXT, ADD_MAILDROP_HOSTS):
        if pname(permission) in vars(aq_base(site)):
            delattr(site, pname(permission))
