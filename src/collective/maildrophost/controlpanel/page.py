"""What every page of the control panel has: its frame, the health, the form's token."""

from __future__ import annotations

import time
from functools import cached_property
from typing import Any

from plone import api
from plone.protect import CheckAuthenticator, PostOnly
from plone.protect.authenticator import createToken
from Products.Five import BrowserView
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from zExceptions import Forbidden

from collective.maildrophost.controlpanel import healthtext, moments, verdicttext
from collective.maildrophost.controlpanel.mailhost import SiteMailHost
from collective.maildrophost.controlpanel.query import Query
from collective.maildrophost.controlpanel.words import LANES
from collective.maildrophost.engine.errors import MaildropError
from collective.maildrophost.engine.queue import Health, Search, Stats, look, unreadable
from collective.maildrophost.i18n import _, translated
from collective.maildrophost.patched import patched_by
from collective.maildrophost.readable import readable

TABS = (
    ("maildrophost-controlpanel", _("tab_overview", default="Overview")),
    ("maildrophost-controlpanel-queue", _("tab_queue", default="Queue")),
    ("maildrophost-controlpanel-test", _("tab_test", default="Test mail")),
    ("maildrophost-controlpanel-settings", _("tab_settings", default="Settings")),
)
EVERYTHING = Query(Search())
"""The queue's page as it is at first."""


class Page(BrowserView):
    """A page of the control panel; `tab` is the name of the view it belongs to."""

    tab = "maildrophost-controlpanel"

    layout = ViewPageTemplateFile("templates/layout.pt")
    health_fragment = ViewPageTemplateFile("templates/health.pt")
    index: Any = None

    def __call__(self) -> str:
        """The page."""
        self.keep_out_of_caches()
        return str(self.index())

    def keep_out_of_caches(self) -> None:
        """Forbid caches to keep the page: it is for this moment and this user only."""
        self.request.response.setHeader("Cache-Control", "no-store")

    @cached_property
    def now(self) -> float:
        """The moment that the page shows, in seconds since the epoch."""
        return time.time()

    @cached_property
    def site_mail_host(self) -> SiteMailHost:
        """The Maildrop Host that the page is about."""
        return SiteMailHost.of(self.context)

    def patched_by(self) -> str:
        """The add-on that gets the mail before the Maildrop Host; "" without one."""
        return patched_by() if self.site_mail_host.in_use else ""

    def diverted_to(self) -> str:
        """Who gets all mail instead of its recipients; "" where these do."""
        if not self.site_mail_host.in_use:
            return ""  # the site's mail goes another way
        try:
            return ", ".join(self.site_mail_host.configuration().debug_receiver)
        except MaildropError:
            return ""  # what is wrong is told with the health

    @cached_property
    def _looked(self) -> tuple[Health, Stats | None]:
        try:
            with self.site_mail_host.queue().read() as tx:
                return look(tx, self.now)
        except MaildropError as error:
            return unreadable(error.wording), None

    @property
    def health(self) -> Health:
        """Whether mail is moving."""
        return self._looked[0]

    @property
    def stats(self) -> Stats | None:
        """The queue in figures; None when it cannot be read."""
        return self._looked[1]

    def health_sentence(self) -> str:
        """Whether mail is moving, in words."""
        return healthtext.sentence(self.health, self.request, self.now)

    def held_lanes(self) -> str:
        """The lanes that are held, in words; "" when none is."""
        held = self.stats.held_lanes if self.stats else ()
        return ", ".join(self.translated(LANES[lane]) for lane in held)

    def tabs(self) -> list[dict[str, Any]]:
        """The pages of the control panel."""
        return [
            {"url": self.url(name), "title": title, "active": name == self.tab}
            for name, title in TABS
        ]

    def sent(self, name: str) -> str:
        """What the request has under `name`; "" where that is not one text."""
        value = self.request.form.get(name, "")
        return readable(value) if isinstance(value, str) else ""

    def url(self, view: str) -> str:
        """The address of a view of the site."""
        return f"{self.context.absolute_url()}/@@{view}"

    def list_of(self, query: Query) -> str:
        """The address of the queue's page that shows what the query asks for."""
        return self.url("maildrophost-controlpanel-queue") + query.address()

    def page_of(self, id: str, found_by: Query = EVERYTHING) -> str:
        """The address of a message's page, which leads back to the query's page."""
        return self.url("maildrophost-controlpanel-message") + found_by.address(id=id)

    def static(self, name: str) -> str:
        """The address of a script or a style sheet."""
        folder = "++resource++collective.maildrophost"
        return f"{self.context.absolute_url()}/{folder}/{name}"

    def token(self) -> str:
        """The proof that a form is from this site and for this user."""
        return str(createToken())

    def number(self, count: int) -> str:
        """A count as the reader writes it."""
        return moments.number(count, self.request)

    def said(self, reply: str) -> str:
        """The words of a verdict in the reader's language, as far as they are ours."""
        return self.translated(verdicttext.said(reply))

    def translated(self, message: Any) -> str:
        """The message in the reader's language."""
        return translated(message, self.request)


class HealthOnly(Page):
    """The health alone, which a script of the pages asks for again and again."""

    index = ViewPageTemplateFile("templates/health.pt")


class FormRefused(Forbidden):
    """An action was asked for, but not by a form of ours that is still good.

    Those whose session was over end here, too: the login leads on by a link.
    """


class Action(Page):
    """A view that does something: by POST, with the token of one of our forms.

    plone.protect watches the ZODB only, so a write to the queue needs this check.
    """

    def __call__(self) -> Any:
        try:
            PostOnly(self.request)
            CheckAuthenticator(self.request)
        except Forbidden as error:
            raise FormRefused(str(error)) from error
        self.keep_out_of_caches()
        return self.act()

    def act(self) -> Any:
        """Do it, return the page or where to go."""
        raise NotImplementedError

    def say(self, message: Any, kind: str = "info") -> None:
        """Have the next page say what was done."""
        api.portal.show_message(message, self.request, kind)

    def go(self, address: str) -> str:
        """Lead to another page, so that a reload does not act once more."""
        self.request.response.redirect(address)
        return ""
