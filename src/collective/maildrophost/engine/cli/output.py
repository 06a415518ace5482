"""Text for a terminal: tables that fit it, nothing in them that commands it."""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
import time
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import click

GAP = "  "
ELLIPSIS = "…"
# Reorder what a reader sees: a sender could dress up as somebody else.
_BIDI = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
_CONTROL = frozenset(["Cc", "Cs", "Zl", "Zp"])


def printable(text: str) -> str:
    """`text` on one line, control characters written out as ``\\x1b``.

    Subjects, addresses and replies come from strangers: none of them may move the
    cursor, break the line or turn the direction of reading.
    """
    return "".join(_visible(character) for character in text)


def _visible(character: str) -> str:
    if unicodedata.category(character) in _CONTROL or character in _BIDI:
        return character.encode("unicode_escape", "surrogatepass").decode("ascii")
    return character


def leave_standard_output() -> None:
    """Let nothing more go there: at its end Python would fail over what is left."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def print_json(value: Any) -> None:
    """One JSON document; ASCII, so that no locale and no terminal changes it."""
    click.echo(json.dumps(value, indent=2))


def print_json_list(values: Iterable[Any]) -> None:
    """As `print_json` of all of them, each as soon as it is there."""
    before = "[\n"
    for value in values:
        click.echo(
            before + textwrap.indent(json.dumps(value, indent=2), "  "), nl=False
        )
        before = ",\n"
    click.echo("[]" if before == "[\n" else "\n]")


@dataclass(frozen=True)
class Column:
    """A column: numbers stand right, `give` says how readily it is cut (0: never)."""

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


def local_time(epoch_seconds: float) -> str:
    """A time as a person reads it in a list: local, to the second."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(epoch_seconds))


def span(seconds: float) -> str:
    """A length of time in its two largest units: ``2d 3h``, ``4m 10s``, ``7s``."""
    left = max(0, round(seconds))
    parts: list[str] = []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count or (unit == "s" and not parts):
            parts.append(f"{count}{unit}")
        elif parts:
            break
    return " ".join(parts[:2])


def size(octets: int) -> str:
    """A size as a person reads it: ``812``, ``4.4k``, ``12M``."""
    amount, unit = float(octets), ""
    for unit in ("", "k", "M", "G"):  # noqa: B007
        if amount < 1000:
            break
        amount /= 1000
    return f"{amount:.1f}{unit}" if unit and amount < 10 else f"{amount:.0f}{unit}"


def messages(count: int, state: str = "") -> str:
    """So many messages: ``1 message``, ``2 messages``, ``2 prepared messages``."""
    kind = f"{state} message" if state else "message"
    return f"{count} {kind}" if count == 1 else f"{count} {kind}s"
