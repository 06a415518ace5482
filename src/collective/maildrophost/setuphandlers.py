"""The swap of a site's MailHost for a Maildrop Host, done so that it can be undone.

The very MailHost object that was replaced is kept, in an annotation of the site:
nothing that was set on it, or that an add-on hung on it, can get lost in a copy. The
annotation is on the site, not on the Maildrop Host, because a toolset step of another
profile may delete any tool.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import transaction
from AccessControl.Permission import pname
from Acquisition import aq_base, aq_inner, aq_parent
from persistent.mapping import PersistentMapping
from plone.base.interfaces import INonInstallable
from Products.GenericSetup.interfaces import (
    IBeforeProfileImportEvent,
    IProfileImportedEvent,
)
from Products.MailHost.interfaces import IMailHost
from Products.MailHost.MailHost import MailHost
from zope.annotation.interfaces import IAnnotations
from zope.component import adapter
from zope.interface import implementer

from collective.maildrophost import mailsettings, oldhost
from collective.maildrophost.host import MaildropHost
from collective.maildrophost.interfaces import IMaildropHost
from collective.maildrophost.permissions import (
    ADD_MAILDROP_HOSTS,
    MANAGE_MAIL_QUEUE,
    VIEW_MAIL_TEXT,
)

TOOL_ID = "MailHost"
TOOL_CLASS = "collective.maildrophost.host.MaildropHost"
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
    site = _site_of(setup_tool)
    annotations = IAnnotations(site)
    if SWAP not in annotations:
        annotations[SWAP] = _begin_swap(site, setup_tool)
    put_maildrop_host_back(site)


def fill_mail_settings(setup_tool: Any) -> None:
    """Give the mail settings a value where they have none."""
    site = _site_of(setup_tool)
    swap = IAnnotations(site)[SWAP]
    mailsettings.fill(site, swap["maildrop_host"], swap["filled"])


def uninstall(setup_tool: Any) -> None:
    """Bring the MailHost back as it was; a MailHost of another add-on stays."""
    site = _site_of(setup_tool)
    swap = IAnnotations(site).pop(SWAP, None) or _begin_swap(site, setup_tool)
    if IMaildropHost.providedBy(_mail_host_of(site)):
        _exchange(site, swap["original"])
    _register(site)
    if _required_class(setup_tool) == TOOL_CLASS:
        _require_class(setup_tool, swap["required_class"])
    mailsettings.empty(site, swap["filled"])
    _forget_permissions(site)
    # Applied by itself, not through the add-ons panel, the profile has to see to that.
    setup_tool.unsetLastVersionForProfile("collective.maildrophost:default")


def put_maildrop_host_back(site: Any) -> None:
    """Make the Maildrop Host kept at the installation the site's MailHost again."""
    kept = IAnnotations(site)[SWAP]["maildrop_host"]
    if _mail_host_of(site) is not kept:
        _exchange(site, kept)
    _register(site)
    _require_maildrop_host(site)


@dataclass(frozen=True)
class _Foreign:
    """The MailHost of another add-on in the place of ours, and what is given out."""

    tool: Any
    utility: Any


@adapter(IBeforeProfileImportEvent)
def remember_mail_host(event: Any) -> None:
    """Keep the MailHost that is in use: another add-on's until the import has ended.

    A Maildrop Host is kept for good, should it not be the one installed.
    """
    site = _site_of(event.tool)
    swap = _swap_of(site)
    imports = _imports_under_way(site)
    if swap is not None and imports:
        # One begins within another, which may have had its toolset step already.
        _put_foreign_back(site, swap, imports[-1])
    imports.append(None if swap is None else _foreign(site))
    current = _mail_host_of(site)
    if swap is None or not IMaildropHost.providedBy(current):
        return
    if swap["maildrop_host"] is not current:
        swap["maildrop_host"] = current


@adapter(IProfileImportedEvent)
def undo_toolset_replacement(event: Any) -> None:
    """Put the MailHost back where a toolset step made a fresh one.

    Ours has an entry of its own, which displaces another add-on's MailHost whenever a
    profile has a toolset.xml; Plone's own, imported again, displaces ours, too.
    """
    site = _site_of(event.tool)
    swap = _swap_of(site)
    imports = _imports_under_way(site)
    foreign = imports.pop() if imports else None
    if swap is None or "toolset" not in event.steps:
        return
    _put_foreign_back(site, swap, foreign)
    if _is_fresh(site, swap):
        put_maildrop_host_back(site)


_IMPORTS = object()


def _imports_under_way(site: Any) -> list[_Foreign | None]:
    # The transaction knows them: of an import that fails, nothing is left behind.
    current = transaction.get()
    try:
        sites = current.data(_IMPORTS)
    except KeyError:
        sites = {}
        current.set_data(_IMPORTS, sites)
    begun: list[_Foreign | None] = sites.setdefault(site.getPhysicalPath(), [])
    return begun


def _foreign(site: Any) -> _Foreign | None:
    current = _mail_host_of(site)
    # One whose product is gone is no MailHost any more: it may well be replaced.
    is_other = IMailHost.providedBy(current) and type(current) is not MailHost
    if not is_other or IMaildropHost.providedBy(current):
        return None
    return _Foreign(current, aq_base(site.getSiteManager().queryUtility(IMailHost)))


def _put_foreign_back(site: Any, swap: Any, foreign: _Foreign | None) -> None:
    """Put another add-on's MailHost back where a toolset step made a fresh one."""
    if foreign is None or not _is_fresh(site, swap):
        return
    # One that is not as the toolset asks for was made by another step, on purpose.
    if _dotted_name(type(_mail_host_of(site))) != _required_class(site.portal_setup):
        return
    _exchange(site, foreign.tool)
    if foreign.utility is not None and foreign.utility is not foreign.tool:
        _give_out(site, foreign.utility)
    _require_maildrop_host(site)


def _is_fresh(site: Any, swap: Any) -> bool:
    """Whether some step made the MailHost; one of another class stays what it is."""
    current = _mail_host_of(site)
    return (
        type(current) in (MailHost, MaildropHost)
        and current is not swap["maildrop_host"]
    )


def _dotted_name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _site_of(setup_tool: Any) -> Any:
    return aq_parent(aq_inner(setup_tool))


def _swap_of(site: Any) -> Any:
    annotations = IAnnotations(site, None)
    return None if annotations is None else annotations.get(SWAP)


def _mail_host_of(site: Any) -> Any:
    return aq_base(getattr(aq_base(site), TOOL_ID, None))


def _begin_swap(site: Any, setup_tool: Any) -> PersistentMapping:
    current = _mail_host_of(site)
    if IMaildropHost.providedBy(current):
        # Added by hand: its settings stay, and what it replaced is not known.
        original = MailHost(TOOL_ID, current.title)
        maildrop_host = current
    else:
        # Where there is none, or one whose product is gone, a plain one comes back.
        original = current if IMailHost.providedBy(current) else MailHost(TOOL_ID)
        maildrop_host = _maildrop_host_from(current) or _maildrop_host_like(original)
    required = _required_class(setup_tool)
    return PersistentMapping(
        original=original,
        maildrop_host=maildrop_host,
        required_class=PLAIN_CLASS if required in (None, TOOL_CLASS) else required,
        filled=PersistentMapping(),
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


def _exchange(site: Any, mail_host: Any) -> None:
    position = None
    if TOOL_ID in site.objectIds():
        position = site.getObjectPosition(TOOL_ID)
        site._delObject(TOOL_ID)
    # Ownership and local roles are its own already, not those of who installs.
    site._setObject(TOOL_ID, mail_host, set_owner=False)
    if position is not None:
        site.moveObjectToPosition(TOOL_ID, position, suppress_events=True)
    _give_out(site, mail_host)


def _register(site: Any) -> None:
    """Have getUtility find what getToolByName finds."""
    mail_host = _mail_host_of(site)
    registered = aq_base(site.getSiteManager().queryUtility(IMailHost))
    if mail_host is not None and registered is not mail_host:
        _give_out(site, mail_host)


def _give_out(site: Any, mail_host: Any) -> None:
    # getToolByName reads the attribute, getUtility the local registry, which goes on
    # giving out the object registered, in the site or not. One registered by its path
    # is looked up in the site once, and then kept by every thread that has asked for
    # it: until the registration changes, which is why there is always a new one.
    registry = site.getSiteManager()
    # zope.interface counts the registrations. five.localsitemanager makes those with a
    # path behind its back, of a class that has no hash, and the old counts turn what
    # takes one away into a TypeError. Nothing public renews them; but they are
    # volatile: ZODB may drop them at any moment, too.
    aq_base(registry)._v_utility_registrations_cache = None
    registry.unregisterUtility(provided=IMailHost)
    registry.registerUtility(mail_host, IMailHost)


def _required_class(setup_tool: Any) -> str | None:
    toolset = setup_tool.getToolsetRegistry()
    if TOOL_ID not in toolset.listRequiredTools():
        return None
    return str(toolset.getRequiredToolInfo(TOOL_ID)["class"])


def _require_maildrop_host(site: Any) -> None:
    if _required_class(site.portal_setup) != TOOL_CLASS:
        _require_class(site.portal_setup, TOOL_CLASS)


def _require_class(setup_tool: Any, dotted_name: str) -> None:
    setup_tool.getToolsetRegistry().addRequiredTool(TOOL_ID, dotted_name)
    setup_tool._p_changed = True  # the registry itself is not persistent


def _forget_permissions(site: Any) -> None:
    # Who may do what, where somebody has changed it in the site.
    for permission in (MANAGE_MAIL_QUEUE, VIEW_MAIL_TEXT, ADD_MAILDROP_HOSTS):
        if pname(permission) in vars(aq_base(site)):
            delattr(site, pname(permission))
