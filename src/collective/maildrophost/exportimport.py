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


@adapter(IMaildropHost, ISetupEnviron)
class MaildropHostXMLAdapter(XMLAdapterBase):
    """Writes title, configuration key, transactional mode; no path, no secret."""

    _LOGGER_ID = "maildrophost"
    name = "maildrophost"

    def _exportNode(self) -> Any:
        node = self._getObjectNode("object")
        node.setAttribute("title", self.context.title)
        node.setAttribute("configuration", self.context.getConfigKey())
        node.setAttribute("transactional", str(self.context.isTransactional()))
        self._logger.info("Maildrop Host exported.")
        return node

    def _importNode(self, node: Any) -> None:
        """Set what the node names; an unknown configuration key is a ValueError."""
        if node.hasAttribute("title"):
            self.context.title = node.getAttribute("title")
        if node.hasAttribute("configuration"):
            self._use_configuration(node.getAttribute("configuration"))
        if node.hasAttribute("transactional"):
            transactional = self._convertToBoolean(node.getAttribute("transactional"))
            self.context.setTransactional(transactional)
        self._logger.info("Maildrop Host imported.")

    def _use_configuration(self, key: str) -> None:
        # A key that is set already needs no check: its file may come later.
        if key != self.context.getConfigKey():
            self.context.setConfigPath(key)
