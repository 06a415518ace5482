"""What a person sees whose form was not taken."""

from __future__ import annotations

from plone import api
from Products.Five import BrowserView
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile

from collective.maildrophost.controlpanel.page import Page


class FormRefusedPage(Page):
    """Says that nothing was done, and how to do it."""

    tab = ""
    index = ViewPageTemplateFile("templates/refused.pt")


class FormRefusedTold(BrowserView):
    """The exception, told by a page of the control panel."""

    def __call__(self) -> str:
        """The page, with the status of Forbidden."""
        # Zope and Plone find the status by an exception's name, and know their own.
        self.request.response.setStatus(403, lock=True)
        return FormRefusedPage(api.portal.get(), self.request)()
