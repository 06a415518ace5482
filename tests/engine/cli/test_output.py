"""Strangers' text is tame, figures read well."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collective.maildrophost.engine.cli.output import (
    local_hour,
    messages,
    print_json_list,
    printable,
    size,
    span,
)


@given(st.text())
def test_printable_text_is_one_line_without_control_characters(text):
    shown = printable(text)
    assert len(shown.splitlines()) <= 1
    assert not any(ord(character) < 32 or character == "\x7f" for character in shown)


def test_text_without_control_characters_is_shown_as_it_is():
    assert printable("größer: 日本 \U0001f600") == "größer: 日本 \U0001f600"


def test_control_characters_are_shown_not_dropped():
    assert printable("a\x1b[2Jb\r\nc\u202ed") == r"a\x1b[2Jb\r\nc\u202ed"


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_list_that_comes_bit_by_bit_is_the_same_json(count, capsys):
    values = [{"id": str(number), "to": ["a", "b\n"]} for number in range(count)]
    print_json_list(iter(values))
    assert capsys.readouterr().out == json.dumps(values, indent=2) + "\n"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (59.6, "1m"),
        (61, "1m 1s"),
        (3600, "1h"),
        (3605, "1h"),
        (190000, "2d 4h"),
    ],
)
def test_spans_read_well(seconds, text):
    assert span(seconds) == text


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (0, "0"),
        (999, "999"),
        (4400, "4.4k"),
        (9949, "9.9k"),
        (9960, "10k"),
        (999_499, "999k"),
        (999_500, "1.0M"),
        (25_000_000, "25M"),
        (1_500_000_000_000, "1500G"),
    ],
)
def test_sizes_read_well(octets, text):
    assert size(octets) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 messages"), (1, "1 message"), (2, "2 messages")],
)
def test_counts_of_messages_read_well(count, text):
    assert messages(count) == text
    assert messages(count, "prepared") == text.replace(" ", " prepared ")


@pytest.fixture
def berlin(monkeypatch):
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_no_two_hours_look_the_same_where_the_clock_goes_back(berlin):
    midnight = 1_792_879_200  # on 25 October 2026 in UTC+2
    assert [local_hour(midnight + hour * 3600) for hour in (2, 3)] == [
        "2026-10-25 02:00 +0200",
        "2026-10-25 02:00 +0100",
    ]
