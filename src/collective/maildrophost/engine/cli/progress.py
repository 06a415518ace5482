"""How far a long command has come, for a person at a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import click

Item = TypeVar("Item")


@contextmanager
def progress(items: Sequence[Item], label: str) -> Iterator[Iterable[Item]]:
    """`items` under a bar on standard error; without a terminal there is no bar."""
    if not sys.stderr.isatty():
        yield items
        return
    with click.progressbar(items, label=label, file=sys.stderr) as bar:
        yield bar
