"""A message's page: envelope, recipients, attempts; text for those who may see it."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from plone import api
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile

from collective.maildrophost.controlpanel import words
from collective.maildrophost.controlpanel.gone import MessageGonePage
from collective.maildrophost.controlpanel.messagetext import MessageText, message_text
from collective.maildrophost.controlpanel.moments import moment, size
from collective.maildrophost.controlpanel.page import Page
from collective.maildrophost.controlpanel.query import Query, read_query
from collective.maildrophost.engine.errors import MaildropError
from collective.maildrophost.engine.queue import (
    AttemptRecord,
    MessageRecord,
    RecipientState,
    Sort,
    State,
    attempts,
    content,
    get_message,
    taking_part,
)
from collective.maildrophost.i18n import _
from collective.maildrophost.permissions import VIEW_MAIL_TEXT

MOST_SHOWN = 500
"""Of recipients, and of attempts: what a browser and its reader can take."""


class MessagePage(Page):
    """Everything that is known of one message.

    `text` is None where it was deleted, or where the reader may not see it.
    """

    tab = "maildrophost-controlpanel-queue"
    index = ViewPageTemplateFile("templates/message.pt")
    record: MessageRecord
    text: MessageText | None
    _attempts: list[AttemptRecord]

    def __call__(self) -> str:
        """The page; another one when there is no such message (any more)."""
        try:
            found = self._find(self.sent("id"))
        except MaildropError:
            # The queue's page says what is wrong.
            self.request.response.redirect(self.url("maildrophost-controlpanel-queue"))
            return ""
        if not found:
            return MessageGonePage(self.context, self.request)()
        return super().__call__()

    def _find(self, id: str) -> bool:
        with self.site_mail_host.queue().read() as tx:
            record = get_message(tx, id)
            if record is None:
                return False
            self.record = record
            self._attempts = attempts(tx, record.id)
            data = content(tx, record.id) if self.may_see_text else None
        self.text = None if data is None else message_text(data)
        return True

    @cached_property
    def query(self) -> Query:
        """What the queue's page showed that led here."""
        return read_query(self.request.form)

    @cached_property
    def may_see_text(self) -> bool:
        """Whether the reader may see what is in a message of this site's queue."""
        return api.user.has_permission(VIEW_MAIL_TEXT, obj=self.context)

    def state(self) -> dict[str, Any]:
        """The message's state as it is shown."""
        return words.state(self.record.state)

    def state_explained(self) -> Any:
        """What the state means."""
        return words.STATES_EXPLAINED[self.record.state]

    def lane(self) -> Any:
        """The lane in words."""
        return words.LANES[self.record.lane]

    def created(self) -> dict[str, str]:
        """When the message was queued."""
        return moment(self.record.created, self.request)

    def due(self) -> dict[str, str]:
        """When the next attempt is due, or when the final state was reached."""
        return moment(self.record.due, self.request)

    def due_title(self) -> Any:
        """What that moment is called."""
        return _DUE_TITLES.get(self.record.state, words.SORTS[Sort.DUE])

    def size(self) -> str:
        """The message's size."""
        return size(self.record.size, self.request)

    def recipients(self) -> list[dict[str, Any]]:
        """The recipients with their last replies, MOST_SHOWN of them at most."""
        return [
            {
                **each.__dict__,
                "state": words.recipient_state(each.state),
                "reply": self.said(each.reply),
            }
            for each in self.record.by_need()[:MOST_SHOWN]
        ]

    def more_recipients(self) -> int:
        """How many recipients are not shown."""
        return max(0, len(self.record.recipients) - MOST_SHOWN)

    def more_attempts(self) -> int:
        """How many attempts are not shown: the oldest ones."""
        return max(0, len(self._attempts) - MOST_SHOWN)

    def attempts(self) -> list[dict[str, Any]]:
        """The attempts, newest first, MOST_SHOWN of them at most."""
        return [
            {
                **each.__dict__,
                "time": moment(each.time, self.request),
                "outcome": words.recipient_state(RecipientState(each.outcome)),
                "reply": self.said(each.reply),
            }
            for each in self._attempts[: -MOST_SHOWN - 1 : -1]
        ]

    def can(self, action: str) -> bool:
        """Whether the message's state lets `action` be done to it."""
        return bool(taking_part(action, (self.record.state,)))


_DUE_TITLES = {
    State.SENT: _("fact_sent", default="Sent at"),
    State.FAILED: _("fact_failed", default="Failed at"),
}
