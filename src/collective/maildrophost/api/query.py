"""What a query string asks of the messages."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import parse_qs

from plone.restapi.batching import DEFAULT_BATCH_SIZE

from collective.maildrophost.api.refusals import BadRequest
from collective.maildrophost.engine.digits import whole_number
from collective.maildrophost.engine.message import LANES_BY_LABEL
from collective.maildrophost.engine.queue import IN_QUEUE, Search, Sort, State
from collective.maildrophost.engine.queue.search import LAST_OFFSET

MOST_ON_A_PAGE = 1000

Choice = TypeVar("Choice")

STATES = {state.value: state for state in State}
SORTS = {sort.value: sort for sort in Sort}
ORDERS = {"ascending": False, "descending": True}
PARAMETERS = ("text", "state", "lane", "sort_on", "sort_order", "b_start", "b_size")


@dataclass(frozen=True)
class Query:
    """One page of the messages that somebody wants."""

    search: Search
    start: int
    size: int


def read_query(query_string: str) -> Query:
    """The query in the words of plone.restapi; BadRequest names the choices."""
    # A misspelt parameter, or one whose value a script has lost, must not list all
    # messages: a program may delete what is listed.
    given = parse_qs(query_string, keep_blank_values=True)
    _check(given, PARAMETERS, "parameter")
    lanes = _chosen(given, "lane", LANES_BY_LABEL) or (None,)
    states = _chosen(given, "state", STATES) or IN_QUEUE
    return Query(
        Search(
            text=_single("text", given.get("text", [""])),
            states=tuple(dict.fromkeys(states)),
            lane=_single("lane", lanes),
            sort=_single("sort_on", _chosen(given, "sort_on", SORTS) or [Sort.DUE]),
            descending=_single(
                "sort_order", _chosen(given, "sort_order", ORDERS) or [False]
            ),
        ),
        start=_number(given, "b_start", 0, 0, LAST_OFFSET),
        size=_number(given, "b_size", DEFAULT_BATCH_SIZE, 1, MOST_ON_A_PAGE),
    )


def _chosen(
    given: dict[str, list[str]], name: str, choices: dict[str, Choice]
) -> tuple[Choice, ...]:
    values = given.get(name, [])
    _check(values, choices, name)
    return tuple(choices[value] for value in values)


def _check(values: Iterable[str], choices: Collection[str], name: str) -> None:
    for value in values:
        if value not in choices:
            known = ", ".join(choices)
            raise BadRequest(f"There is no {name} {value[:40]!r}; known: {known}.")


def _single(name: str, values: Iterable[Choice]) -> Choice:
    first, *others = values
    if others:
        raise BadRequest(f"{name} was given more than once.")
    return first


def _number(
    given: dict[str, list[str]], name: str, default: int, least: int, most: int
) -> int:
    text = _single(name, given.get(name, [str(default)]))
    number = whole_number(text, most)
    if number is None or number < least:
        raise BadRequest(
            f"{name} is {text[:40]!r}; it is a number from {least} to {most}."
        )
    return number
