"""What a command prints: words that cannot control a terminal, and JSON."""

from __future__ import annotations

import json
import os
import sys
import textwrap
import time
import unicodedata
from collections.abc import Iterable
from typing import Any

import click

from ..sizes import shortened

# They reorder what a reader sees: a sender could dress up as somebody else.
_BIDI = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
_CONTROL = frozenset(["Cc", "Cs", "Zl", "Zp"])


def printable(text: str) -> str:
    """`text` on one line, control characters written out as ``\\x1b``.

    Subjects, addresses and replies come from strangers: none of them may move the
    cursor, break the line or change the direction of reading.
    """
    return "".join(_visible(character) for character in text)


def _visible(character: str) -> str:
    if unicodedata.category(character) in _CONTROL or character in _BIDI:
        return character.encode("unicode_escape", "surrogatepass").decode("ascii")
    return character


def leave_standard_output() -> None:
    """Let nothing more go there: at exit Python would fail to flush what is left."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def tell(words: str, err: bool = False) -> None:
    """Print a line amid work that must go on even if it cannot be printed.

    A line that standard output does not take, and all after it, go to standard error.
    """
    try:
        click.echo(words, err=err)
    except OSError:
        if not err:
            leave_standard_output()
            sys.stdout = sys.stderr
            tell(words, err=True)


def print_json(value: Any) -> None:
    """One JSON document; ASCII, so that no locale and no terminal changes it."""
    click.echo(json.dumps(value, indent=2))


def print_json_list(values: Iterable[Any]) -> None:
    """As `print_json` of a list of them, but each printed as soon as it is there."""
    before = "[\n"
    for value in values:
        click.echo(
            before + textwrap.indent(json.dumps(value, indent=2), "  "), nl=False
        )
        before = ",\n"
    click.echo("[]" if before == "[\n" else "\n]")


def local_time(epoch_seconds: float) -> str:
    """A time as a person reads it in a list: local, to the second."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(epoch_seconds))


def local_hour(epoch_seconds: float) -> str:
    """The beginning of an hour, with the offset of its time zone.

    Where the clock goes back, two hours of that day begin at the same local time.
    """
    return time.strftime("%Y-%m-%d %H:%M %z", time.localtime(epoch_seconds))


def span(seconds: float) -> str:
    """A length of time in its two largest units: ``2d 3h``, ``4m 10s``, ``7s``."""
    rest = max(0, round(seconds))
    parts: list[str] = []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, rest = divmod(rest, size)
        if count or (unit == "s" and not parts):
            parts.append(f"{count}{unit}")
        elif parts:
            break
    return " ".join(parts[:2])


def size(octets: int) -> str:
    """A size as a person reads it: ``812``, ``4.4k``, ``12M``."""
    digits, divisions = shortened(octets)
    return digits + _UNITS[divisions]


_UNITS = ("", "k", "M", "G")


def messages(count: int, state: str = "") -> str:
    """So many messages: ``1 message``, ``2 messages``, ``2 prepared messages``."""
    kind = f"{state} message" if state else "message"
    return f"{count} {kind}" if count == 1 else f"{count} {kind}s"
