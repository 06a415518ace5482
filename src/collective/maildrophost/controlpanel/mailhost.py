"""Which Maildrop Host the site's control panel is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from Acquisition import aq_base

from collective.maildrophost import productconfig
from collective.maildrophost.engine.config import Configuration
from collective.maildrophost.engine.queue import Queue
from collective.maildrophost.installation.sitemailhost import (
    TOOL_ID,
    maildrop_host_of,
    utility_of,
)
from collective.maildrophost.installation.swap import kept_maildrop_host
from collective.maildrophost.interfaces import IMaildropHost
from collective.maildrophost.queues import configured_queue


@dataclass(frozen=True)
class SiteMailHost:
    """The site's Maildrop Host; `in_use` is False when another MailHost replaced it.

    Then `host` is the one that was kept at the installation: its queue may still have
    mail.
    """

    host: Any
    in_use: bool
    replaced_by: str = ""

    @classmethod
    def of(cls, site: Any) -> SiteMailHost:
        """Of a site that has the pages, though perhaps by another profile than ours."""
        ours = maildrop_host_of(site)
        if ours is not None:
            return cls(ours, in_use=True)
        kept = kept_maildrop_host(site)
        current = getattr(site, TOOL_ID, None)
        utility = utility_of(site)
        if IMaildropHost.providedBy(current) and utility is not None:
            current = utility  # Some who send mail ask for that.
        other = type(aq_base(current))
        name = "" if current is None else f"{other.__module__}.{other.__qualname__}"
        return cls(kept, in_use=False, replaced_by=name)

    def configuration(self) -> Configuration:
        """The configuration in use; raises MaildropError, with what is wrong."""
        return productconfig.configuration(self.host.getConfigKey())

    def queue(self) -> Queue:
        """The queue; raises MaildropError, with what is wrong."""
        return configured_queue(self.host.getConfigKey())
