"""A site's MailHost: the tool, the utility, and what its toolset asks for."""

from __future__ import annotations

from typing import Any

from Acquisition import aq_base, aq_inner, aq_parent
from Products.MailHost.interfaces import IMailHost
from Products.MailHost.MailHost import MailHost

from collective.maildrophost.interfaces import IMaildropHost

TOOL_ID = "MailHost"
TOOL_CLASS = "collective.maildrophost.host.MaildropHost"


def site_of(setup_tool: Any) -> Any:
    """The site whose setup tool this is."""
    return aq_parent(aq_inner(setup_tool))


def mail_host_of(site: Any) -> Any:
    """The tool without its acquisition, None where there is none."""
    return aq_base(getattr(aq_base(site), TOOL_ID, None))


def utility_of(site: Any) -> Any:
    """The utility without its acquisition, None where there is none."""
    return aq_base(site.getSiteManager().queryUtility(IMailHost))


def maildrop_host_of(site: Any) -> Any:
    """The Maildrop Host that all mail of the site goes to; None when not all does.

    Some who send mail ask for the tool, others for the utility.
    """
    mail_host = getattr(site, TOOL_ID, None)
    is_both = utility_of(site) is aq_base(mail_host)
    return mail_host if is_both and IMaildropHost.providedBy(mail_host) else None


def is_of_another_addon(mail_host: Any) -> bool:
    """Whether it is a MailHost, yet neither ours nor a plain one.

    One whose product is gone is no MailHost any more.
    """
    ours_or_plain = IMaildropHost.providedBy(mail_host) or type(mail_host) is MailHost
    return IMailHost.providedBy(mail_host) and not ours_or_plain


def utility_of_another_addon(site: Any) -> Any:
    """What another add-on gives out instead of the tool; None when there is nothing."""
    utility = utility_of(site)
    differs = utility is not mail_host_of(site)
    return utility if differs and is_of_another_addon(utility) else None


def exchange(site: Any, mail_host: Any) -> None:
    """Put `mail_host` in the place of the tool, and of the utility."""
    position = None
    if TOOL_ID in site.objectIds():
        position = site.getObjectPosition(TOOL_ID)
        site._delObject(TOOL_ID)
    # It has its own owner and local roles already: not those of whoever installs.
    site._setObject(TOOL_ID, mail_host, set_owner=False)
    if position is not None:
        site.moveObjectToPosition(TOOL_ID, position, suppress_events=True)
    give_out(site, mail_host)


def register(site: Any) -> None:
    """Have getUtility find what getToolByName finds."""
    mail_host = mail_host_of(site)
    if mail_host is not None and utility_of(site) is not mail_host:
        give_out(site, mail_host)


def give_out(site: Any, mail_host: Any) -> None:
    """Make `mail_host` the utility, whatever the tool is."""
    # getToolByName reads the attribute, getUtility the local registry, which goes on
    # giving out the registered object, whether it is in the site or not. An object that
    # is registered by its path is looked up in the site once, and kept by every thread
    # that has asked for it until the registration changes: so we always register anew.
    registry = site.getSiteManager()
    # zope.interface counts the registrations. five.localsitemanager adds those with a
    # path behind its back, of a class that has no hash; with outdated counts, taking
    # one away is a TypeError. Nothing public renews the counts, but they are volatile:
    # ZODB, too, may drop them at any moment.
    aq_base(registry)._v_utility_registrations_cache = None
    registry.unregisterUtility(provided=IMailHost)
    registry.registerUtility(mail_host, IMailHost)


def required_class(site: Any) -> str | None:
    """The dotted name that the toolset asks for, None when it asks for none."""
    toolset = site.portal_setup.getToolsetRegistry()
    if TOOL_ID not in toolset.listRequiredTools():
        return None
    return str(toolset.getRequiredToolInfo(TOOL_ID)["class"])


def require_maildrop_host(site: Any) -> None:
    """Have the toolset ask for ours."""
    if required_class(site) != TOOL_CLASS:
        require_class(site, TOOL_CLASS)


def require_class(site: Any, dotted_name: str) -> None:
    """Have the toolset ask for that class."""
    setup_tool = site.portal_setup
    setup_tool.getToolsetRegistry().addRequiredTool(TOOL_ID, dotted_name)
    setup_tool._p_changed = True  # the registry itself is not persistent
