"""How far a long command has come, for a person at a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click


@contextmanager
def steps(label: str) -> Iterator[Callable[[int, int], None]]:
    """A function to call with how much is done, and of how much.

    It draws a bar on standard error; without a terminal there is none.
    """
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    with click.progressbar(length=1, label=label, file=sys.stderr) as bar:

        def tell(done: int, total: int) -> None:
            # With nothing to do, all of it is done.
            bar.length = total or 1
            bar.update((done if total else 1) - bar.pos)

        yield tell
