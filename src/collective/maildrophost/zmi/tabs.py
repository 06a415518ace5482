"""The tabs of a Maildrop Host: Edit, Queue, Maildrop Log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from AccessControl.class_init import InitializeClass
from AccessControl.Permissions import change_configuration
from AccessControl.SecurityInfo import ClassSecurityInfo
from ExtensionClass import Base
from Products.PageTemplates.PageTemplateFile import PageTemplateFile
from ZPublisher import zpublish

from collective.maildrophost.engine.actions import (
    ACTIONS,
    act,
    discard_batch,
    release_batch,
)
from collective.maildrophost.engine.errors import MaildropError
from collective.maildrophost.engine.queue import Unheard
from collective.maildrophost.engine.queue.leftalone import LeftAlone
from collective.maildrophost.patched import patched_by
from collective.maildrophost.productconfig import configurations
from collective.maildrophost.queues import configured_queue
from collective.maildrophost.readable import readable
from collective.maildrophost.samesite import check_same_site
from collective.maildrophost.settings import MaildropHostSettings
from collective.maildrophost.zmi import shown

REFUSALS_NAMED = 5
"""How many refusals are spelled out: on their way to the next page the words are in a
Location header, and a proxy takes only a few thousand octets of headers."""

_SAID = {
    "retry": "Tried again at once",
    "hold": "Held",
    "release": "Released",
    "delete": "Deleted",
}

_NO_LONGER_PREPARED = (
    "Nothing was done: somebody else has decided about this mail, or its transaction "
    "has ended."
)


class Tabs(Base):
    """What people see of a Maildrop Host in the management interface, and do to it."""

    security = ClassSecurityInfo()
    zmi_icon = "far fa-envelope"
    tabs = (
        {"label": "Edit", "action": "manage_main"},
        {"label": "Queue", "action": "manage_queue"},
        {"label": "Maildrop Log", "action": "manage_log"},
    )

    _edit_page = PageTemplateFile("templates/edit.zpt", globals())
    _queue_page = PageTemplateFile("templates/queue.zpt", globals())
    _log_page = PageTemplateFile("templates/log.zpt", globals())

    @zpublish
    @security.protected(change_configuration)
    def manage_main(self, REQUEST: Any = None, manage_tabs_message: str = "") -> str:
        """The Edit tab; says what is wrong with the configuration."""
        _keep_to_this_user(REQUEST)
        key = self.getConfigKey()
        return self._edit_page(
            manage_tabs_message=manage_tabs_message,
            management_view="Edit",
            candidates=shown.candidates(key),
            transactional=self.isTransactional(),
            configuration=shown.configuration(key),
            patched=patched_by(),
        )

    security.declareProtected(change_configuration, "manage")
    manage = manage_main

    @zpublish(methods="POST")
    @security.protected(change_configuration)
    def manage_makeChanges(
        self,
        title: str,
        transactional: Any = None,
        path_key: str | None = None,
        REQUEST: Any = None,
        *others: Any,
        **named: Any,
    ) -> Any:
        """Change the settings; None leaves one as it is.

        A configuration that cannot be used raises ValueError, and nothing is changed;
        with a request, the page shows its text. Server, port and login are accepted, as
        by MailHost, but change nothing: they are in the configuration.
        """
        server_by_position = "smtp_port" in named and "smtp_host" not in named
        if others or server_by_position or _is_port(path_key):
            # Called with MailHost's arguments: these two are its server and its port.
            transactional = path_key = None
        # A text as REQUEST is MailHost's user name; over the web it's always a request.
        if REQUEST is None or isinstance(REQUEST, str):
            return self._change(title, transactional, path_key)
        check_same_site(REQUEST)
        try:
            self._change(title, transactional, path_key)
            message = "The settings are saved."
        except ValueError as error:
            message = f"Nothing was changed: {error}"
        return self._back_to(REQUEST, "manage_main", message)

    def _change(self, title: str, transactional: Any, path_key: str | None) -> None:
        settings = MaildropHostSettings(self)
        if path_key is not None:
            settings.configuration = path_key
        settings.title = str(title)
        if transactional is not None:
            settings.transactional = _is_on(transactional)

    @zpublish
    @security.protected(change_configuration)
    def manage_queue(
        self,
        REQUEST: Any = None,
        text: str = "",
        state: str = "",
        offset: Any = 0,
        manage_tabs_message: str = "",
    ) -> str:
        """The Queue tab: batches in doubt, and the messages that match the search."""
        _keep_to_this_user(REQUEST)
        return self._queue_page(
            manage_tabs_message=manage_tabs_message,
            management_view="Queue",
            queue=shown.queue(self.getConfigKey(), readable(str(text)), state, offset),
        )

    @zpublish(methods="POST")
    @security.protected(change_configuration)
    def manage_releaseBatch(self, batch: str, REQUEST: Any) -> Any:
        """Release a prepared batch whose transaction is known to have committed."""
        return self._decide_on_batch(release_batch, batch, REQUEST, "released")

    @zpublish(methods="POST")
    @security.protected(change_configuration)
    def manage_discardBatch(self, batch: str, REQUEST: Any, sure: Any = None) -> Any:
        """Discard a prepared batch whose transaction never committed, if `sure`."""
        if not _is_on(sure):
            check_same_site(REQUEST)
            message = "Nothing was discarded: tick “for good” to discard a batch."
            return self._back_to(REQUEST, "manage_queue", message)
        return self._decide_on_batch(discard_batch, batch, REQUEST, "discarded")

    def _decide_on_batch(self, decide: Any, batch: str, request: Any, said: str) -> Any:
        check_same_site(request)
        try:
            count = decide(configured_queue(self.getConfigKey()), readable(batch))
            message = f"Mails {said}: {count}." if count else _NO_LONGER_PREPARED
        except Unheard as error:
            message = error.caution
        except MaildropError as error:
            message = f"Nothing was {said}: {error}"
        return self._back_to(request, "manage_queue", message)

    @zpublish(methods="POST")
    @security.protected(change_configuration)
    def manage_actOnMessages(
        self, action: str, REQUEST: Any, ids: Any = (), sure: Any = None
    ) -> Any:
        """Retry, hold, release or, but only if `sure`, delete the chosen messages."""
        check_same_site(REQUEST)
        named = ids if isinstance(ids, (list, tuple)) else [ids]
        chosen = [readable(str(each)) for each in named]
        # A form may send anything: what is no text has no action's name as text.
        message = self._acted(str(action), chosen, sure)
        return self._back_to(REQUEST, "manage_queue", message)

    def _acted(self, action: str, ids: list[str], sure: Any) -> str:
        if action not in ACTIONS:
            return "There is no such action."
        if not ids:
            return "Choose messages first."
        if action == "delete" and not _is_on(sure):
            return "Nothing was deleted: tick “for good” to delete messages."
        try:
            queue = configured_queue(self.getConfigKey())
            done = act(queue, action, ids)
        except Unheard as error:
            return error.caution
        except MaildropError as error:
            return f"Nothing was done: {error}"
        said = f"{_SAID[action]}: {len(done.changed)}"
        if done.already:
            said += f"; already so: {len(done.already)}"
        return f"{said}{_left_alone(done.refused)}."

    @zpublish
    @security.protected(change_configuration)
    def manage_log(self, REQUEST: Any = None) -> str:
        """The Maildrop Log tab: the newest part of the daemon's log."""
        _keep_to_this_user(REQUEST)
        return self._log_page(
            management_view="Maildrop Log",
            log=shown.log(self.getConfigKey()),
        )

    def _back_to(self, request: Any, tab: str, message: str) -> Any:
        """Redirect, so that a reload of the page does not act once more."""
        if request is None:
            return None
        query = urlencode({"manage_tabs_message": message})
        return request.RESPONSE.redirect(f"{self.absolute_url()}/{tab}?{query}")


InitializeClass(Tabs)


def _is_on(switch: Any) -> bool:
    # A script that posts a form writes Python's False as a text, or 0.
    return bool(switch) and switch not in ("0", "False")


def _is_port(key: Any) -> bool:
    return str(key).isdecimal() and str(key) not in configurations()


def _keep_to_this_user(request: Any) -> None:
    # What is shown is for this moment and for this user only. In a frame of a foreign
    # page, clicks meant for that page would press our buttons.
    if request is not None:
        request.RESPONSE.setHeader("Cache-Control", "no-store")
        request.RESPONSE.setHeader("X-Frame-Options", "SAMEORIGIN")


def _left_alone(refused: Mapping[str, LeftAlone]) -> str:
    named = list(refused.items())[:REFUSALS_NAMED]
    words = [f"; message {id} was left alone ({reason})" for id, reason in named]
    others = len(refused) - len(named)
    return "".join(words) + (f"; so were {others} more" if others else "")
