"""The mail settings of a site, filled where they are empty.

Plone, plone.api and plone.restapi refuse to send without them, though the Maildrop Host
needs no SMTP server there: its relay is in the maildrop configuration.
"""

from __future__ import annotations

import logging
import socket
from typing import Any

from plone.registry.interfaces import IRegistry
from zope.component import getUtility
from zope.schema.interfaces import ValidationError

from collective.maildrophost.engine.domains import ascii_domain
from collective.maildrophost.engine.errors import MaildropError
from collective.maildrophost.host import MaildropHost
from collective.maildrophost.productconfig import configuration
from collective.maildrophost.readable import on_one_line

logger = logging.getLogger(__name__)


def fill(site: Any, maildrop_host: MaildropHost, filled: Any) -> None:
    """Give a value to settings that have none; `filled` keeps the old and the new one.

    A value that Plone refuses is not set; the log warns of it.
    """
    registry = getUtility(IRegistry, context=site)
    sensible = {
        "plone.smtp_host": lambda: "localhost",
        "plone.email_from_address": lambda: _postmaster(maildrop_host),
        "plone.email_from_name": lambda: on_one_line(site.title or "") or "Plone",
    }
    for name, value in sensible.items():
        if name in registry and not registry[name]:
            _set(registry, name, value(), filled)


def _set(registry: Any, name: str, value: str, filled: Any) -> None:
    before = registry[name]
    try:
        registry[name] = value
    except ValidationError as refused:
        logger.warning(
            "%s is not set, and cannot be %r: %s. Set it in Plone's Mail control "
            "panel: without it Plone sends no mail",
            name,
            value,
            refused.doc(),
        )
        return
    filled[name] = (before, value)
    logger.warning(
        "%s was not set, so it is %r until you set it in Plone's Mail control panel",
        name,
        value,
    )


def empty(site: Any, filled: Any) -> None:
    """Take away what `fill` has set, unless somebody has changed it."""
    registry = getUtility(IRegistry, context=site)
    for name, (before, value) in filled.items():
        if name in registry and registry[name] == value:
            registry[name] = before


def _postmaster(maildrop_host: MaildropHost) -> str:
    try:
        configured = configuration(maildrop_host.getConfigKey()).postmaster
    except MaildropError:
        configured = ""
    # The one mailbox that every mail domain must have (RFC 5321 section 4.5.1).
    address = configured or f"postmaster@{socket.getfqdn()}"
    if address.isascii():
        return address
    # Plone's setting takes ASCII only, in which any domain can be written.
    local, at, domain = address.rpartition("@")
    return f"{local}{at}{ascii_domain(domain)}"
