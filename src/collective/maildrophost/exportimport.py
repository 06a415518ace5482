"""The settings of a Maildrop Host as maildrophost.xml.

GenericSetup's `mailhost` step finds this adapter for a Maildrop Host, so that a
mailhost.xml (Plone's own has an empty SMTP server) leaves it alone.
"""

from __future__ import annotations

from typing import Any

from Products.GenericSetup.interfaces import ISetupEnviron
from Products.GenericSetup.utils import XMLAdapterBase
from zope.component import adapter

from collective.maildrophost.interfaces import IMaildropHost
from collective.maildrophost.settings import MaildropHostSettings


@adapter(IMaildropHost, ISetupEnviron)
class MaildropHostXMLAdapter(XMLAdapterBase):
    """Exports and imports title, configuration key and mode; no path, no secret."""

    _LOGGER_ID = "maildrophost"
    name = "maildrophost"

    def _exportNode(self) -> Any:
        settings = MaildropHostSettings(self.context)
        node = self._getObjectNode("object")
        node.setAttribute("title", settings.title)
        node.setAttribute("configuration", settings.configuration)
        node.setAttribute("transactional", str(settings.transactional))
        self._logger.info("Maildrop Host exported.")
        return node

    def _importNode(self, node: Any) -> None:
        """Set what the node names; an unknown configuration key is a ValueError."""
        settings = MaildropHostSettings(self.context)
        if node.hasAttribute("title"):
            settings.title = node.getAttribute("title")
        if node.hasAttribute("configuration"):
            settings.configuration = node.getAttribute("configuration")
        if node.hasAttribute("transactional"):
            transactional = self._convertToBoolean(node.getAttribute("transactional"))
            settings.transactional = transactional
        self._logger.info("Maildrop Host imported.")
