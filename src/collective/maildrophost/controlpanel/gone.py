"""What a person sees whose message is gone: others delete messages, too."""

from __future__ import annotations

from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile

from collective.maildrophost.controlpanel.page import Page
from collective.maildrophost.controlpanel.query import read_query


class MessageGonePage(Page):
    """Says why there is nothing to see, and leads back to the queue."""

    tab = "maildrophost-controlpanel-queue"
    index = ViewPageTemplateFile("templates/gone.pt")

    def __call__(self) -> str:
        """The page, with the status 404."""
        self.request.response.setStatus(404)
        return super().__call__()

    def queue_address(self) -> str:
        """The queue's page that led here."""
        return self.list_of(read_query(self.request.form))
