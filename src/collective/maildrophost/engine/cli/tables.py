"""Tables that fit a terminal."""

from __future__ import annotations

import os
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import click

from .output import printable

GAP = "  "
ELLIPSIS = "…"


@dataclass(frozen=True)
class Column:
    """A column; `right` for numbers; `give` says how readily it is cut (0: never)."""

    title: str
    right: bool = False
    give: int = 0


def print_table(columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> None:
    """A table with a head, cut to the width of the terminal.

    Into a pipe or a file it goes uncut, for grep, unless COLUMNS says how wide.
    """
    print_pages(columns, [rows])


def print_pages(
    columns: Sequence[Column], pages: Iterable[Iterable[Sequence[str]]]
) -> None:
    """As `print_table`; the rows of each page are printed before the next one comes."""
    cells = ([[printable(cell) for cell in row] for row in page] for page in pages)
    for line in table(columns, cells, terminal_width()):
        click.echo(line)


def terminal_width() -> int | None:
    """Columns of the terminal, None where there is no terminal to fit."""
    if not sys.stdout.isatty() and "COLUMNS" not in os.environ:
        return None
    return shutil.get_terminal_size().columns


def table(
    columns: Sequence[Column],
    pages: Iterable[Sequence[Sequence[str]]],
    width: int | None,
) -> Iterator[str]:
    """The lines of a table; cells are cut when `width` is given and too small.

    A column becomes wider where a page has wider cells than those before.
    """
    head = [column.title for column in columns]
    wanted = list(map(cells_wide, head))
    for number, page in enumerate(pages):
        for row in page:
            wanted = list(map(max, wanted, map(cells_wide, row)))
        widths = wanted if width is None else fitted(columns, wanted, width)
        if number == 0:
            yield click.style(_line(columns, head, widths), bold=True)
        for row in page:
            yield _line(columns, row, widths)


def fitted(columns: Sequence[Column], wanted: Sequence[int], width: int) -> list[int]:
    """Widths that fit; the widest of the columns that give most is cut first."""
    widths = list(wanted)
    excess = sum(widths) + len(GAP) * (len(widths) - 1) - width
    for give in sorted(
        {column.give for column in columns if column.give}, reverse=True
    ):
        while excess > 0:
            candidates = [
                position
                for position, column in enumerate(columns)
                if column.give == give
                and widths[position] > max(len(column.title), _LEAST_WIDTH)
            ]
            if not candidates:
                break
            widest = max(candidates, key=lambda position: widths[position])
            widths[widest] -= 1
            excess -= 1
    return widths


_LEAST_WIDTH = 8


def _line(columns: Sequence[Column], row: Sequence[str], widths: Sequence[int]) -> str:
    cells = []
    for column, cell, width in zip(columns, row, widths, strict=True):
        shown = cut(cell, width)
        padding = " " * (width - cells_wide(shown))
        cells.append(padding + shown if column.right else shown + padding)
    return GAP.join(cells).rstrip()


def cut(text: str, width: int) -> str:
    """`text` within `width` cells of a terminal, with an ellipsis where it was cut."""
    if cells_wide(text) <= width:
        return text
    kept, used = [], cells_wide(ELLIPSIS)
    for character in text:
        used += cells_wide(character)
        if used > width:
            break
        kept.append(character)
    return "".join(kept) + ELLIPSIS


def cells_wide(text: str) -> int:
    """How many cells of a terminal `text` takes; East Asian ones take two each."""
    return sum(_cells(character) for character in text)


def _cells(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
