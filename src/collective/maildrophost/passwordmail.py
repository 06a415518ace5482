"""The lane of Plone's mail for a lost password.

Plone writes it with "Precedence: bulk", which keeps autoresponders quiet, and without
`immediate`: by its headers alone it would wait behind a newsletter.
"""

from __future__ import annotations

from typing import Any

from Products.Five import BrowserView
from Products.MailHost.interfaces import IMailHost
from zope.component import getSiteManager, queryUtility
from zope.interface import Interface, providedBy

from collective.maildrophost.browserlayer import IMaildropHostLayer
from collective.maildrophost.interfaces import IMaildropHost

LANE = "X-Maildrop-Lane: interactive\n"


class PasswordMail(BrowserView):
    """The view that the site would have without this add-on, with a lane on top."""

    def __call__(self, *args: Any, **options: Any) -> str:
        """The text of the mail, with the lane only where a Maildrop Host sends it."""
        text: str = self._view_without_us()(*args, **options)
        if not IMaildropHost.providedBy(queryUtility(IMailHost)):
            return text
        return LANE + text.lstrip()

    def _view_without_us(self) -> Any:
        # Plone's own, or the one of an add-on that writes another text.
        layers = providedBy(self.request) - IMaildropHostLayer
        view = getSiteManager().adapters.lookup(
            (providedBy(self.context), layers), Interface, self.__name__
        )
        return view(self.context, self.request)
