"""What a person sees whose form was not taken, or whose message is gone."""

from __future__ import annotations

from typing import Any

from plone import api
from Products.Five import BrowserView
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile

from collective.maildrophost.controlpanel.page import Page
from collective.maildrophost.controlpanel.query import read_query


class FormRefusedPage(Page):
    """Says that nothing was done, and how to do it."""

    tab = ""
    index = ViewPageTemplateFile("templates/refused.pt")


class MessageGonePage(Page):
    """Says why there is nothing to see, and leads back to the queue."""

    tab = "maildrophost-controlpanel-queue"
    index = ViewPageTemplateFile("templates/gone.pt")

    def queue_address(self) -> str:
        """The queue's page that led here."""
        return self.list_of(read_query(self.request.form))


class _Told(BrowserView):
    """An exception, told by a page of the control panel."""

    status: int
    page: Any

    def __call__(self) -> str:
        # Zope and Plone find the status by an exception's name, and know their own.
        self.request.response.setStatus(self.status, lock=True)
        return str(self.page(api.portal.get(), self.request)())


class FormRefusedTold(_Told):
    """Forbidden."""

    status = 403
    page = FormRefusedPage


class MessageGoneTold(_Told):
    """Not found."""

    status = 404
    page = MessageGonePage
