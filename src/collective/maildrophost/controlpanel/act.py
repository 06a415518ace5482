"""Retry, hold, release, delete: for some messages, or for all that match."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile

from collective.maildrophost.controlpanel.faulttext import in_one_go, in_portions
from collective.maildrophost.controlpanel.leftalonetext import reason
from collective.maildrophost.controlpanel.page import Action
from collective.maildrophost.controlpanel.query import Query, read_query
from collective.maildrophost.controlpanel.question import asked_of, fields_of
from collective.maildrophost.engine import actions
from collective.maildrophost.engine.crowd import (
    Asked,
    MoreThanAsked,
    act_on_all,
    ask_about,
    prepared_left_alone,
    who_takes_part,
)
from collective.maildrophost.engine.errors import MaildropError
from collective.maildrophost.engine.queue import (
    Done,
    MessageRecord,
    Transaction,
    get_message,
    ids_matching,
    records,
)
from collective.maildrophost.engine.queue.leftalone import LeftAlone
from collective.maildrophost.engine.queue.listing import key_of
from collective.maildrophost.i18n import _
from collective.maildrophost.readable import readable

SAID = {
    "retry": _("done_retry", default="Tried again at once: ${count}"),
    "hold": _("done_hold", default="Held: ${count}"),
    "release": _("done_release", default="Released: ${count}"),
    "delete": _("done_delete", default="Deleted: ${count}"),
}
ASKS_FIRST = ("delete",)
"""Actions that lose something, which a person has to confirm."""
REFUSALS_SHOWN = 20
EXAMPLES_SHOWN = 5
SELECTED, ALL = "selected", "all"


class _Question(NamedTuple):
    """What a person is asked about before anything is lost."""

    affected: int
    """How many messages the action is about."""
    first: Sequence[MessageRecord]
    fields: list[tuple[str, str]]
    """Hidden fields of the form, which say what those messages are."""


class ActOnMessages(Action):
    """What the buttons below the queue and on a message's page do."""

    tab = "maildrophost-controlpanel-queue"
    confirmation = ViewPageTemplateFile("templates/confirm.pt")
    asks_again = False
    """If so, the question gets no focus: the reason above it is to be read first."""

    @property
    def action(self) -> str:
        """retry, hold, release or delete; "" for anything else."""
        action = self.sent("action")
        return action if action in SAID else ""

    @property
    def ids(self) -> list[str]:
        """The ids of the messages that were chosen."""
        ids = self.request.form.get("ids", [])
        chosen = ids if isinstance(ids, list) else [ids]
        return [readable(str(each)) for each in chosen]

    @property
    def on_all(self) -> bool:
        """Whether everything that matches is meant."""
        return self.sent("scope") == ALL

    @property
    def query(self) -> Query:
        """What the queue's page showed."""
        return read_query(self.request.form)

    def act(self) -> Any:
        """Do it, or ask first."""
        if not self.action:
            self.say(_("There is no such action."), "error")
            return self.back()
        if not self.on_all and not self.ids:
            self.say(_("Choose messages first."), "warning")
            return self.back()
        try:
            if self.action in ASKS_FIRST and "confirmed" not in self.request.form:
                return self.confirmation()
            return self._do_or_ask_again()
        except MaildropError as error:
            words = in_portions if self.on_all else in_one_go
            self.say(words(error), "error")
        return self.back()

    def _do_or_ask_again(self) -> Any:
        try:
            self._do()
        except MoreThanAsked:
            more = _(
                "more_than_asked",
                default="Nothing was done: more messages match by now than you were "
                "asked about.",
            )
            self.say(more, "warning")
            self.asks_again = True
            return self.confirmation()
        return self.back()

    def _do(self) -> None:
        queue = self.site_mail_host.queue()
        if self.on_all:
            wanted, asked = self.query.search, asked_of(self.sent)
            self._report(Done(act_on_all(queue, self.action, wanted, asked), {}))
            if count := prepared_left_alone(queue, self.action, wanted):
                self._say_prepared_left_alone(count)
        else:
            self._report(actions.act(queue, self.action, self.ids))

    def _report(self, done: Done) -> None:
        if done.changed or not (done.refused or done.already):
            said = SAID[self.action]
            mapping = {"count": self.number(len(done.changed))}
            self.say(_(said, default=said.default, mapping=mapping))
        if done.already:
            so_before = _(
                "already_so",
                default="Nothing to do, already so: ${count}",
                mapping={"count": self.number(len(done.already))},
            )
            self.say(so_before)
        for why, ids in _by_reason(done.refused).items():
            self._say_left_alone(why, ids)

    def _say_left_alone(self, why: LeftAlone, ids: list[str]) -> None:
        named = ids[:REFUSALS_SHOWN]
        if len(ids) > len(named):
            named.append("…")
        left_alone = _(
            "left_alone",
            default="Left alone: ${count} (${reason}): ${ids}",
            mapping={
                "count": self.number(len(ids)),
                "reason": reason(why, self.request),
                "ids": ", ".join(named),
            },
        )
        self.say(left_alone, "warning")

    def _say_prepared_left_alone(self, count: int) -> None:
        left_alone = _(
            "prepared_left_alone",
            default="Left alone: ${count} prepared, whose transaction still runs or "
            "may just be ending, or which are being moved to another queue. Choose "
            "them by hand to decide about them, or to see why you cannot.",
            mapping={"count": self.number(count)},
        )
        self.say(left_alone, "warning")

    def heading(self) -> Any:
        """What a person is asked."""
        count = self.affected()
        if count == 1:
            return _("confirm_delete_one", default="Delete 1 message for good?")
        return _(
            "confirm_delete_heading",
            default="Delete ${count} messages for good?",
            mapping={"count": self.number(count)},
        )

    def affected(self) -> int:
        """How many messages the action is about, before it is done."""
        return self._question.affected

    def examples(self) -> list[str]:
        """Recipients and subject of the first messages that the action is about."""
        return [
            f"{', '.join(one.address for one in record.recipients[:3])}: "
            f"{record.subject}"
            for record in self._question.first
        ]

    def hidden_fields(self) -> list[tuple[str, str]]:
        """What the confirmed form sends again."""
        return [
            ("action", self.action),
            ("scope", ALL if self.on_all else SELECTED),
            ("from", self.sent("from")),
            *self.query.fields().items(),
            *self._question.fields,
        ]

    @cached_property
    def _question(self) -> _Question:
        with self.site_mail_host.queue().read() as tx:
            if self.on_all:
                asked, affected = ask_about(tx, self.action, self.query.search)
                return _Question(affected, self._first(tx, asked), fields_of(asked))
            keys = dict.fromkeys(map(key_of, self.ids))
            chosen = records(tx, [key for key in keys if key is not None])
            which = [("ids:list", id) for id in self.ids]
            return _Question(len(chosen), chosen[:EXAMPLES_SHOWN], which)

    def _first(self, tx: Transaction, asked: Asked) -> Sequence[MessageRecord]:
        takes_part = who_takes_part(self.action, self.query.search)
        ids = ids_matching(tx, takes_part, EXAMPLES_SHOWN, "0", asked.there)
        return records(tx, [int(id) for id in ids])

    def back(self) -> str:
        """Lead to the page that the form was on."""
        return self.go(self.back_address())

    def back_address(self) -> str:
        """The page that the form was on; the queue's page if its message is gone."""
        on_message = self.sent("from") == "message" and len(self.ids) == 1
        if on_message and self.ids[0].isdigit() and not self._is_gone(self.ids[0]):
            return self.page_of(self.ids[0], self.query)
        return self.list_of(self.query)

    def _is_gone(self, id: str) -> bool:
        try:
            with self.site_mail_host.queue().read() as tx:
                return get_message(tx, id) is None
        except MaildropError:
            return True


def _by_reason(refused: Mapping[str, LeftAlone]) -> dict[LeftAlone, list[str]]:
    """The ids that were left alone, by reason."""
    reasons: dict[LeftAlone, list[str]] = {}
    for id, why in refused.items():
        reasons.setdefault(why, []).append(id)
    return reasons
