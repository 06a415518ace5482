"""What a toolset step does to the site's MailHost, undone where nobody asked for it.

Plone's own toolset.xml requires a plain MailHost, and ours a Maildrop Host. Whenever a
profile's toolset.xml is imported, GenericSetup replaces a tool that is not of the class
that was required last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import transaction
from Products.GenericSetup.interfaces import (
    IBeforeProfileImportEvent,
    IProfileImportedEvent,
)
from Products.MailHost.MailHost import MailHost
from zope.component import adapter

from collective.maildrophost.host import MaildropHost
from collective.maildrophost.installation.sitemailhost import (
    exchange,
    give_out,
    is_of_another_addon,
    mail_host_of,
    require_maildrop_host,
    required_class,
    site_of,
    utility_of,
)
from collective.maildrophost.installation.swap import (
    Swap,
    put_maildrop_host_back,
    swap_of,
)
from collective.maildrophost.interfaces import IMaildropHost


@dataclass(frozen=True)
class _Foreign:
    """The MailHost of another add-on in the place of ours, and the site's utility."""

    tool: Any
    utility: Any


@adapter(IBeforeProfileImportEvent)
def remember_mail_host(event: Any) -> None:
    """Keep the MailHost that is in use: another add-on's until the import has ended.

    A Maildrop Host that is not the one installed is the kept one from then on.
    """
    site = site_of(event.tool)
    if site is None:
        return  # A setup tool without its acquisition wrapper has no site.
    swap = swap_of(site)
    imports = _imports_under_way(site)
    if swap is None:
        imports.append(None)
        return
    if imports:
        # This import began within another, which may have run its toolset step already.
        _put_foreign_back(site, swap, imports[-1])
    imports.append(_foreign(site))
    current = mail_host_of(site)
    if IMaildropHost.providedBy(current):
        swap.keep(current)


@adapter(IProfileImportedEvent)
def undo_toolset_replacement(event: Any) -> None:
    """Put the MailHost back where a toolset step made a fresh one.

    The entry in our toolset.xml displaces another add-on's MailHost whenever a profile
    has a toolset.xml; the one in Plone's, imported again, displaces ours.
    """
    site = site_of(event.tool)
    if site is None:
        return
    swap = swap_of(site)
    imports = _imports_under_way(site)
    foreign = imports.pop() if imports else None
    if swap is None or "toolset" not in event.steps:
        return
    _put_foreign_back(site, swap, foreign)
    if _is_fresh(site, swap):
        put_maildrop_host_back(site)


_IMPORTS = object()


def _imports_under_way(site: Any) -> list[_Foreign | None]:
    # Kept by the transaction, so that an import that fails leaves nothing behind.
    current = transaction.get()
    try:
        sites = current.data(_IMPORTS)
    except KeyError:
        sites = {}
        current.set_data(_IMPORTS, sites)
    return sites.setdefault(site.getPhysicalPath(), [])


def _foreign(site: Any) -> _Foreign | None:
    tool = mail_host_of(site)
    return _Foreign(tool, utility_of(site)) if is_of_another_addon(tool) else None


def _put_foreign_back(site: Any, swap: Swap, foreign: _Foreign | None) -> None:
    """Put another add-on's MailHost back where a toolset step made a fresh one."""
    if foreign is None or not _is_fresh(site, swap):
        return
    # One of a class that the toolset does not require was made on purpose.
    if _dotted_name(type(mail_host_of(site))) != required_class(site):
        return
    exchange(site, foreign.tool)
    if foreign.utility is not None:
        give_out(site, foreign.utility)
    require_maildrop_host(site)


def _is_fresh(site: Any, swap: Swap) -> bool:
    """Whether a step has made the MailHost anew; one of another class is left alone."""
    current = mail_host_of(site)
    return (
        type(current) in (MailHost, MaildropHost) and current is not swap.maildrop_host
    )


def _dotted_name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
