"""The log tells where an error happened, never what it says."""

from __future__ import annotations

import traceback
from decimal import InvalidOperation

import pytest

from collective.maildrophost.engine.unquoted import unquoted

CONTENT = "-".join(["sesame", "7"])  # a traceback quotes the source


def convert():
    raise InvalidOperation(CONTENT)


def deliver():
    try:
        convert()
    except InvalidOperation as error:
        raise KeyError(CONTENT) from error


def clean_up():
    try:
        deliver()
    finally:
        {}[CONTENT]


def from_itself():
    error = ValueError(CONTENT)
    raise error from error


def told(call) -> str:
    with pytest.raises(Exception, match=CONTENT) as caught:
        call()
    return "".join(traceback.format_exception(unquoted(caught.value)))


@pytest.mark.parametrize("call", [convert, deliver, clean_up, from_itself])
def test_an_unquoted_error_shows_nothing_of_its_text(call):
    assert CONTENT not in told(call)


def test_an_unquoted_error_shows_its_name_and_places_and_those_of_its_causes():
    text = told(clean_up)
    for place in ("in convert", "in deliver", "in clean_up"):
        assert place in text
    assert text.count("KeyError\n") == 2
    assert "decimal.InvalidOperation\n" in text
