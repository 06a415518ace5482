"""The queue's page: what is in it, narrowed, ordered, a page at a time."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from typing import Any

from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile

from collective.maildrophost.controlpanel import words
from collective.maildrophost.controlpanel.moments import moment, size
from collective.maildrophost.controlpanel.page import Page
from collective.maildrophost.controlpanel.query import (
    ANY_CODE,
    EVERY_STATE,
    IN_QUEUE_CODE,
    PAGE_SIZE,
    Query,
    read_query,
)
from collective.maildrophost.engine.errors import MaildropError
from collective.maildrophost.engine.message import Lane
from collective.maildrophost.engine.queue import (
    IN_QUEUE,
    Found,
    MessageRecord,
    Sort,
    State,
    search,
)
from collective.maildrophost.engine.queue.search import SCANNED
from collective.maildrophost.i18n import _

RECIPIENTS_SHOWN = 3


class QueuePage(Page):
    """Messages in a table, with what can be done to them."""

    tab = "maildrophost-controlpanel-queue"
    index = ViewPageTemplateFile("templates/queue.pt")
    scanned = SCANNED
    readable = True
    """False once the queue could not be read: it is not known to be empty then."""

    @property
    def query(self) -> Query:
        """What is asked for; a page after the last one means the last one."""
        return self._shown[0]

    @property
    def found(self) -> Found:
        """The messages of this page."""
        return self._shown[1]

    @cached_property
    def _shown(self) -> tuple[Query, Found]:
        asked = read_query(self.request.form)
        found = self._look_for(asked)
        last = _last_page(found)
        if asked.page > last:
            asked = asked.on_page(last)
            found = self._look_for(asked)
        return asked, found

    def _look_for(self, asked: Query) -> Found:
        # Asking once more may mean waiting for the queue as long again.
        if self.stats is not None:
            with suppress(MaildropError), self.site_mail_host.queue().read() as tx:
                return search(tx, asked.search, PAGE_SIZE, asked.offset)
        self.readable = False
        return Found((), 0)

    def rows(self) -> list[dict[str, Any]]:
        """The messages as the table shows them."""
        return [self._row(record) for record in self.found.records]

    def _row(self, record: MessageRecord) -> dict[str, Any]:
        recipients = record.by_need()
        addresses = [each.address for each in recipients]
        return {
            "id": record.id,
            "url": self.page_of(record.id, self.query),
            "subject": record.subject,
            "recipients": addresses[:RECIPIENTS_SHOWN],
            "more_recipients": max(0, len(addresses) - RECIPIENTS_SHOWN),
            "sender": record.sender,
            "state": words.state(record.state),
            "lane": words.LANES[record.lane],
            "due": moment(record.due, self.request),
            "created": moment(record.created, self.request),
            "size": size(record.size, self.request),
            "attempts": record.attempts,
            "possible_duplicate": record.possible_duplicate,
            "reply": self.said(
                next((each.reply for each in recipients if each.reply), "")
            ),
        }

    def columns(self) -> list[dict[str, Any]]:
        """The heads of the table: each sorts by its column."""
        return [self._column(*column) for column in _COLUMNS]

    def _column(self, sort: Sort | None, title: Any, css: str) -> dict[str, Any]:
        current = sort is not None and sort is self.query.search.sort
        down = self.query.search.descending
        return {
            "title": title,
            "css": css,
            "url": self.list_of(self.query.sorted_by(sort)) if sort else "",
            "aria_sort": ("descending" if down else "ascending") if current else None,
            "arrow": ("▼" if down else "▲") if current else "",
        }

    def address_with_sent(self) -> str:
        """The same search in every state; "" where a state was chosen already."""
        asked = self.query.search
        if asked.states != IN_QUEUE:
            return ""
        return self.list_of(Query(replace(asked, states=EVERY_STATE)))

    def state_choices(self) -> list[dict[str, Any]]:
        """The states to choose from, with all but sent first, and any state last."""
        choices = [
            (IN_QUEUE_CODE, _("states_in_queue", default="All but sent")),
            *((state.value, words.STATES[state]) for state in State),
            (ANY_CODE, _("states_any", default="Any state")),
        ]
        return _choices(choices, self.query.state_code)

    def lane_choices(self) -> list[dict[str, Any]]:
        """The lanes to choose from."""
        lane = self.query.search.lane
        choices = [
            ("", _("lanes_all", default="All lanes")),
            *((each.label, words.LANES[each]) for each in Lane),
        ]
        return _choices(choices, "" if lane is None else lane.label)

    def kept_fields(self) -> dict[str, str]:
        """The order, which a new search keeps."""
        fields = self.query.fields()
        return {name: fields[name] for name in ("sort", "order") if name in fields}

    def first_number(self) -> int:
        """The number of the page's first message among all found."""
        return self.query.offset + 1 if self.found.records else 0

    def last_number(self) -> int:
        """The number of the page's last message among all found."""
        return self.query.offset + len(self.found.records)

    def pages(self) -> dict[str, str]:
        """The addresses of other pages; "" for those that do not exist."""
        page, last = self.query.page, self.last_page()

        def address(number: int, there: bool) -> str:
            return self.list_of(self.query.on_page(number)) if there else ""

        return {
            "first": address(1, page > 1),
            "previous": address(page - 1, page > 1),
            "next": address(page + 1, page < last),
            "last": address(last, page < last),
        }

    def last_page(self) -> int:
        """How many pages there are."""
        return _last_page(self.found)


def _last_page(found: Found) -> int:
    return max(1, -(-found.total // PAGE_SIZE))


_COLUMNS: tuple[tuple[Sort | None, Any, str], ...] = (
    (Sort.SUBJECT, _("column_message", default="Message"), ""),
    (Sort.SENDER, words.SORTS[Sort.SENDER], "d-none d-xxl-table-cell"),
    (None, _("column_state", default="State"), ""),
    (None, _("column_lane", default="Lane"), "d-none d-lg-table-cell"),
    (Sort.DUE, words.SORTS[Sort.DUE], "d-none d-md-table-cell"),
    (Sort.CREATED, words.SORTS[Sort.CREATED], "d-none d-xxl-table-cell"),
    (Sort.ATTEMPTS, words.SORTS[Sort.ATTEMPTS], "d-none d-lg-table-cell text-end"),
    (Sort.SIZE, words.SORTS[Sort.SIZE], "d-none d-lg-table-cell text-end"),
)


def _choices(choices: list[tuple[str, Any]], selected: str) -> list[dict[str, Any]]:
    return [
        {"value": value, "title": title, "selected": value == selected}
        for value, title in choices
    ]
