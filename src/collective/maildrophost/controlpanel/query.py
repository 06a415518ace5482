"""What the queue's page shows, to and from its address.

Nothing raises here: whatever makes no sense in an address means the default.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from urllib.parse import urlencode

from collective.maildrophost.engine.digits import whole_number
from collective.maildrophost.engine.message import LANES_BY_LABEL
from collective.maildrophost.engine.queue import IN_QUEUE, Search, Sort, State
from collective.maildrophost.engine.queue.search import LONGEST_TEXT
from collective.maildrophost.readable import readable

PAGE_SIZE = 50
LAST_PAGE = 10**9 - 1
EVERY_STATE = tuple(State)
IN_QUEUE_CODE = ""
ANY_CODE = "any"

Choice = TypeVar("Choice")


@dataclass(frozen=True)
class Query:
    """One page of found messages; `page` counts from 1."""

    search: Search
    page: int = 1

    @property
    def offset(self) -> int:
        """How many messages are on the pages before."""
        return (self.page - 1) * PAGE_SIZE

    @property
    def state_code(self) -> str:
        """The states as the form has them: one, "any", or "" for all but sent."""
        if self.search.states == IN_QUEUE:
            return IN_QUEUE_CODE
        if self.search.states == EVERY_STATE:
            return ANY_CODE
        return self.search.states[0].value

    @property
    def is_narrowed(self) -> bool:
        """Whether something less than the whole queue is shown."""
        shown = replace(self.search, sort=Sort.DUE, descending=False)
        return shown != Search()

    def fields(self) -> dict[str, str]:
        """The form's fields, those with their default left out."""
        search = self.search
        lane = "" if search.lane is None else search.lane.label
        fields = {
            "text": search.text,
            "state": self.state_code,
            "lane": lane,
            "sort": "" if search.sort is Sort.DUE else search.sort.value,
            "order": "down" if search.descending else "",
            "page": "" if self.page == 1 else str(self.page),
        }
        return {name: value for name, value in fields.items() if value}

    def address(self, **more: str) -> str:
        """`more` and the fields as the query string of an address, with its "?"."""
        fields = {**more, **self.fields()}
        return f"?{urlencode(fields)}" if fields else ""

    def on_page(self, page: int) -> Query:
        """The same search, another page."""
        return replace(self, page=page)

    def sorted_by(self, sort: Sort) -> Query:
        """The first page in that order, or the other way round if it is so already."""
        again = sort is self.search.sort
        down = again and not self.search.descending
        return Query(replace(self.search, sort=sort, descending=down))


def read_query(form: Mapping[str, Any]) -> Query:
    """What the fields of a request ask for."""
    text = form.get("text", "")
    search = Search(
        text=readable(text).strip()[:LONGEST_TEXT] if isinstance(text, str) else "",
        states=_states(form.get("state", IN_QUEUE_CODE)),
        lane=_one_of(LANES_BY_LABEL, form.get("lane"), None),
        sort=_one_of({sort.value: sort for sort in Sort}, form.get("sort"), Sort.DUE),
        descending=form.get("order") == "down",
    )
    return Query(search, _page(form.get("page")))


def _states(code: Any) -> tuple[State, ...]:
    single = {state.value: (state,) for state in State}
    return _one_of({**single, ANY_CODE: EVERY_STATE}, code, IN_QUEUE)


def _one_of(choices: dict[str, Choice], code: Any, default: Any) -> Any:
    return choices.get(code, default) if isinstance(code, str) else default


def _page(text: Any) -> int:
    number = whole_number(text, LAST_PAGE) if isinstance(text, str) else None
    return max(1, number or 1)
