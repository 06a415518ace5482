"""What is kept of the swap of a site's MailHost for a Maildrop Host, to undo it.

The very MailHost object that was replaced is kept, in an annotation of the site:
nothing that was set on it, or that an add-on hung on it, can get lost in a copy. The
annotation is on the site, not on the Maildrop Host, because a toolset step of another
profile may delete any tool.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from Acquisition import aq_base
from persistent.mapping import PersistentMapping
from Products.MailHost.interfaces import IMailHost
from Products.MailHost.MailHost import MailHost
from zope.annotation.interfaces import IAnnotations
from zope.component import adapter
from zope.lifecycleevent.interfaces import IObjectMovedEvent

from collective.maildrophost import oldhost
from collective.maildrophost.host import MaildropHost
from collective.maildrophost.installation.sitemailhost import (
    TOOL_CLASS,
    TOOL_ID,
    exchange,
    mail_host_of,
    register,
    require_maildrop_host,
    required_class,
)
from collective.maildrophost.interfaces import IMaildropHost

PLAIN_CLASS = "Products.MailHost.MailHost.MailHost"
SWAP = "collective.maildrophost.swap"
"""The annotation of the site; there as long as the add-on is installed."""


class Swap:
    """The swap of one site, as the annotation keeps it."""

    def __init__(self, kept: PersistentMapping) -> None:
        self._kept = kept

    @property
    def original(self) -> Any:
        """The MailHost that was replaced."""
        return self._kept["original"]

    @property
    def to_bring_back(self) -> Any:
        """The original; a plain MailHost when the original's product is gone."""
        return self.original if self._is_there else MailHost(TOOL_ID)

    @property
    def _is_there(self) -> bool:
        return bool(IMailHost.providedBy(self.original))

    @property
    def maildrop_host(self) -> Any:
        """The Maildrop Host of the site, also when another MailHost is in its place."""
        return self._kept["maildrop_host"]

    @property
    def required_class(self) -> str:
        """The dotted name that the toolset asked for before."""
        return str(self._kept["required_class"]) if self._is_there else PLAIN_CLASS

    @property
    def filled(self) -> PersistentMapping:
        """The mail settings that were given a value, see `mailsettings`."""
        return self._kept["filled"]

    def keep(self, maildrop_host: Any) -> None:
        """Make another Maildrop Host the site's from now on."""
        if self.maildrop_host is not maildrop_host:
            self._kept["maildrop_host"] = maildrop_host


def swap_of(site: Any) -> Swap | None:
    """The swap of the site; None where the add-on is not installed."""
    annotations = IAnnotations(site, None)
    kept = None if annotations is None else annotations.get(SWAP)
    return None if kept is None else Swap(kept)


def begin_swap(site: Any) -> Swap:
    """Keep the MailHost that is there now, and the Maildrop Host that replaces it."""
    IAnnotations(site)[SWAP] = kept = _kept_of(site)
    return Swap(kept)


def end_swap(site: Any) -> Swap:
    """Forget the swap and return it; without one, as `begin_swap` would make it."""
    kept = IAnnotations(site).pop(SWAP, None)
    return Swap(kept or _kept_of(site))


def kept_maildrop_host(site: Any) -> Any:
    """The Maildrop Host of the installation; what it would be where there was none.

    A profile made of another site's export may bring our pages alone.
    """
    return (swap_of(site) or Swap(_kept_of(site))).maildrop_host


def stored_maildrop_host(site: Any) -> Any:
    """The same, stored from now on where there was no installation."""
    return (swap_of(site) or begin_swap(site)).maildrop_host


def put_maildrop_host_back(site: Any) -> None:
    """Make the Maildrop Host of the installation the site's MailHost again."""
    kept = stored_maildrop_host(site)
    if mail_host_of(site) is not kept:
        remove_renamed(site, kept)
        # With an id that differs from its place, none of its URLs would lead anywhere.
        kept._setId(TOOL_ID)
        exchange(site, kept)
    register(site)
    require_maildrop_host(site)


def remove_renamed(site: Any, maildrop_host: Any) -> None:
    """Take the Maildrop Host out of the site where somebody has renamed it."""
    id = maildrop_host.getId()
    if id != TOOL_ID and aq_base(site._getOb(id, None)) is aq_base(maildrop_host):
        site._delObject(id)


@adapter(IMaildropHost, IObjectMovedEvent)
def keep_copy_of_moved(maildrop_host: Any, event: Any) -> None:
    """Keep a copy of the Maildrop Host that somebody moves out of the site.

    If the moved one itself were put back, it would be in two places. One that is moved
    into the place of a site's MailHost is that site's from then on.
    """
    if None in (event.oldParent, event.newParent) or event.object is not maildrop_host:
        return
    moved = aq_base(maildrop_host)
    if (there := swap_of(event.newParent)) and event.newName == TOOL_ID:
        there.keep(moved)
    swap = swap_of(event.oldParent)
    elsewhere = aq_base(event.oldParent) is not aq_base(event.newParent)
    if swap is not None and swap.maildrop_host is moved and elsewhere:
        copy = MaildropHost(TOOL_ID)
        vars(copy).update(deepcopy(vars(moved)))
        swap.keep(copy)


def _kept_of(site: Any) -> PersistentMapping:
    current = mail_host_of(site)
    if IMaildropHost.providedBy(current):
        # Added by hand: its settings stay, and what it replaced is not known.
        original = MailHost(TOOL_ID, current.title)
        maildrop_host = current
    else:
        # Without a MailHost, or when its product is gone, a plain one comes back later.
        original = current if IMailHost.providedBy(current) else MailHost(TOOL_ID)
        maildrop_host = _maildrop_host_from(current) or _maildrop_host_like(original)
    required = required_class(site)
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
    """Ours for one of Products.MaildropHost, whose class is missing; else None."""
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
