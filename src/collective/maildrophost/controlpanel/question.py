"""What a person was asked about, kept in the fields of the form that answers."""

from __future__ import annotations

from collections.abc import Callable

from collective.maildrophost.engine.crowd import Asked
from collective.maildrophost.engine.queue import Present
from collective.maildrophost.engine.queue.listing import key_of


def fields_of(asked: Asked) -> list[tuple[str, str]]:
    """The form's hidden fields."""
    spans = (f"{first}-{last}" for first, last in asked.there.unended)
    return [
        ("newest", str(asked.there.newest)),
        ("unended", " ".join(spans)),
        ("matching", str(asked.matching)),
    ]


def asked_of(field: Callable[[str], str]) -> Asked | None:
    """What the form's fields tell; None: nobody was asked."""
    newest, matching = key_of(field("newest")), key_of(field("matching"))
    if newest is None or matching is None:
        return None
    spans = (each.partition("-") for each in field("unended").split())
    ends = [(key_of(first), key_of(last)) for first, _, last in spans]
    unended = tuple((a, b) for a, b in ends if a is not None and b is not None)
    return Asked(Present(newest, unended), matching)
