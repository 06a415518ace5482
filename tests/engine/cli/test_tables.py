"""Tables fit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from collective.maildrophost.engine.cli.tables import (
    Column,
    cells_wide,
    cut,
    fitted,
    table,
)


@given(st.text(), st.integers(min_value=1, max_value=40))
def test_a_cut_text_fits(text, width):
    assert cells_wide(cut(text, width)) <= width


def test_wide_characters_take_two_cells():
    assert cut("日本語", 4) == "日…"


def test_cells_stand_below_each_other_numbers_at_their_right_end():
    columns = [Column("ID", right=True), Column("TO"), Column("SIZE", right=True)]
    page = [["7", "日本", "4.4k"], ["123", "e\u0301a", "12M"], ["8", "", ""]]
    _head, *lines = table(columns, [page], None)
    assert lines == [
        "  7  日本  4.4k",
        "123  e\u0301a     12M",
        "  8",
    ]


def test_columns_that_give_most_are_cut_first():
    columns = [Column("ID"), Column("FROM", give=1), Column("SUBJECT", give=2)]
    assert fitted(columns, [5, 20, 40], 60) == [5, 20, 31]
    assert fitted(columns, [5, 20, 40], 30) == [5, 13, 8]


def test_the_widest_of_columns_that_give_equally_is_cut_first():
    columns = [Column("FROM", give=2), Column("TO", give=2)]
    assert fitted(columns, [20, 40], 52) == [20, 30]
    assert fitted(columns, [40, 20], 52) == [30, 20]


def test_a_column_that_does_not_give_stays_whole():
    columns = [Column("ID"), Column("NAME", give=1)]
    lines = list(table(columns, [[["1" * 9, "x" * 99]]], 20))
    assert lines[1] == "1" * 9 + "  " + "x" * 8 + "…"
    _, too_wide = table(columns, [[["1" * 9, "x" * 99]]], 10)
    assert too_wide == "1" * 9 + "  " + "x" * 7 + "…"


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
