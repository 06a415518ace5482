"""Tables fit, strangers' text is tame."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collective.maildrophost.engine.cli.output import (
    Column,
    cells_wide,
    cut,
    fitted,
    messages,
    print_json_list,
    printable,
    size,
    span,
    table,
)


@given(st.text())
def test_printable_text_is_one_line_without_control_characters(text):
    shown = printable(text)
    assert len(shown.splitlines()) <= 1
    assert not any(ord(character) < 32 or character == "\x7f" for character in shown)


def test_control_characters_are_shown_not_dropped():
    assert printable("a\x1b[2Jb\r\nc\u202ed") == r"a\x1b[2Jb\r\nc\u202ed"


@given(st.text(), st.integers(min_value=1, max_value=40))
def test_a_cut_text_fits(text, width):
    assert cells_wide(cut(text, width)) <= width


def test_wide_characters_take_two_cells():
    assert cut("日本語", 4) == "日…"


def test_columns_that_give_most_are_cut_first():
    columns = [Column("ID"), Column("FROM", give=1), Column("SUBJECT", give=2)]
    assert fitted(columns, [5, 20, 40], 60) == [5, 20, 31]
    assert fitted(columns, [5, 20, 40], 30) == [5, 13, 8]


def test_a_column_that_does_not_give_stays_whole():
    columns = [Column("ID"), Column("NAME", give=1)]
    lines = list(table(columns, [[["1" * 9, "x" * 99]]], 20))
    assert lines[1] == "1" * 9 + "  " + "x" * 8 + "…"


def test_a_page_is_there_before_the_next_one_is_asked_for():
    asked = []

    def pages():
        for cell in ("a", "bbb"):
            asked.append(cell)
            yield [[cell, "x"]]

    lines = table([Column("N", give=1), Column("X")], pages(), None)
    assert "N  X" in next(lines)
    assert next(lines) == "a  x"
    assert asked == ["a"]
    assert list(lines) == ["bbb  x"], "what goes into a pipe is not cut"


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
    ("octets", "text"), [(0, "0"), (999, "999"), (4400, "4.4k"), (25_000_000, "25M")]
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
