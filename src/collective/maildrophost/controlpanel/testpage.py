"""The test mail's page: send one, follow it to its verdict."""

from __future__ import annotations

from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from Products.MailHost.MailHost import MailHostError

from collective.maildrophost.controlpanel import words
from collective.maildrophost.controlpanel.moments import moment, span
from collective.maildrophost.controlpanel.page import Action, Page
from collective.maildrophost.controlpanel.testmail import (
    send_test_mail,
    site_address,
)
from collective.maildrophost.controlpanel.testmailtext import refusal
from collective.maildrophost.engine.errors import MaildropError
from collective.maildrophost.engine.message import InvalidMessage, check_address
from collective.maildrophost.engine.queue import (
    AttemptRecord,
    MessageRecord,
    RecipientState,
    State,
    attempts,
    find_by_message_id,
)
from collective.maildrophost.engine.queue.states import FINAL
from collective.maildrophost.i18n import _, message

_QUEUED = _("test_queued", default="The mail for ${recipient} is in the queue.")
PROGRESS = {
    State.PREPARED: _QUEUED,
    State.QUEUED: _QUEUED,
    State.DEFERRED: _(
        "test_deferred",
        default="The relay has not taken the mail for ${recipient} yet. It will be "
        "tried again.",
    ),
    State.SENDING: _(
        "test_sending",
        default="A daemon is handing the mail for ${recipient} to the relay.",
    ),
    State.HELD: _("test_held", default="Somebody holds the mail back."),
    State.FAILED: _(
        "test_failed",
        default="The relay has refused the mail for ${recipient} for good.",
    ),
    State.SENT: _(
        "test_sent", default="The relay has taken the mail for ${recipient}."
    ),
}
"""Where a mail is that somebody follows, by its state."""


class Followed(Page):
    """What became of the mail whose Message-Id is in the request."""

    tab = "maildrophost-controlpanel-test"

    @property
    def message_id(self) -> str:
        """The mail's Message-Id; "" when there is none to follow."""
        return self.sent("message")

    @cached_property
    def _read(self) -> tuple[MessageRecord | None, list[AttemptRecord], str]:
        if not self.message_id:
            return None, [], ""  # Nothing is followed yet.
        if self.stats is None:
            # Asking once more may mean waiting for the queue as long again.
            return None, [], self.translated(message(self.health.fault))
        try:
            with self.site_mail_host.queue().read() as tx:
                found = find_by_message_id(tx, self.message_id)
                return found, attempts(tx, found.id) if found else [], ""
        except MaildropError as error:
            return None, [], self.translated(message(error.wording))

    @property
    def record(self) -> MessageRecord | None:
        """The mail as the queue knows it; None when it is not there."""
        return self._read[0]

    @property
    def fault(self) -> str:
        """Why nobody can tell at the moment; "" when the queue can be read."""
        return self._read[2]

    @property
    def is_final(self) -> bool:
        """Whether nothing more is going to happen to the mail."""
        if self.record is None:
            return not self.fault
        return self.record.state in FINAL

    def state(self) -> dict[str, Any]:
        """The mail's state as it is shown."""
        assert self.record is not None
        return words.state(self.record.state)

    def progress(self) -> Any:
        """Where the mail is, in a sentence."""
        assert self.record is not None
        said = PROGRESS[self.record.state]
        mapping = {"recipient": self.record.recipients[0].address}
        return _(said, default=said.default, mapping=mapping)

    def steps(self) -> list[dict[str, Any]]:
        """What happened to the mail, in order, each with its time."""
        record, tried, _fault = self._read
        assert record is not None
        queued = {
            "word": words.STATES[State.QUEUED],
            "time": moment(record.created, self.request),
            "after": "",
            "relay": "",
            "reply": "",
        }
        return [queued, *(self._step(each, record.created) for each in tried)]

    def _step(self, attempt: AttemptRecord, created: float) -> dict[str, Any]:
        return {
            "word": words.RECIPIENT_STATES[RecipientState(attempt.outcome)],
            "time": moment(attempt.time, self.request),
            "after": span(attempt.time - created),
            "relay": attempt.relay,
            "reply": self.said(attempt.reply),
        }

    def next_attempt(self) -> dict[str, str] | None:
        """When a deferred mail is tried again."""
        if self.record is None or self.record.state is not State.DEFERRED:
            return None
        return moment(self.record.due, self.request)

    def message_url(self) -> str:
        """The page with everything about the mail."""
        assert self.record is not None
        return self.page_of(self.record.id)


class TestMailPage(Followed):
    """The form, and below it the mail that was sent."""

    __test__ = False  # pytest takes a class called Test... for a test

    index = ViewPageTemplateFile("templates/test.pt")
    fragment = ViewPageTemplateFile("templates/progress.pt")

    def recipient(self) -> str:
        """The address in the form: what was typed, else the reader's own."""
        typed = self.sent("recipient")
        if typed:
            return typed
        member = self.context.portal_membership.getAuthenticatedMember()
        return member.getProperty("email", "") or site_address()

    def sender(self) -> str:
        """Who the mail is from."""
        return site_address()

    def progress_url(self) -> str:
        """Where the progress alone is found."""
        query = urlencode({"message": self.message_id})
        return f"{self.url('maildrophost-controlpanel-test-progress')}?{query}"


class TestMailProgress(Followed):
    """The progress alone, which a script of the page asks for."""

    __test__ = False

    index = ViewPageTemplateFile("templates/progress.pt")


class SendTestMail(Action):
    """What the button does."""

    tab = "maildrophost-controlpanel-test"

    def act(self) -> Any:
        """Queue the mail, lead to where it is followed."""
        typed = self.sent("recipient")
        try:
            recipient = check_address(typed.strip())
            message_id = send_test_mail(self.context, self.request, recipient)
            shown = {"message": message_id, "recipient": recipient}
        except (InvalidMessage, MailHostError) as error:
            self.say(refusal(error), "error")
            shown = {"recipient": typed}
        return self.go(f"{self.url(self.tab)}?{urlencode(shown)}")
