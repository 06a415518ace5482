"""The browser layer of sites that have the add-on installed."""

from __future__ import annotations

from zope.publisher.interfaces.browser import IDefaultBrowserLayer


class IMaildropHostLayer(IDefaultBrowserLayer):
    """Marks the requests of those sites: views registered for it exist there only."""
