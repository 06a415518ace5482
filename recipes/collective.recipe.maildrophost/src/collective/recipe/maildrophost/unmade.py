"""Reads a section of the buildout that buildout itself does not get to know."""

from __future__ import annotations

from typing import Any

from zc.buildout.buildout import Options


class Unmade(Options):  # type: ignore[misc]
    """A section as it is written, which buildout neither makes nor prints.

    To ask buildout for one makes its part, which may refer to a part that cannot answer
    before it has its own home; and with -vv buildout prints all that it was asked for,
    even the password of a daemon.
    """

    def __init__(self, buildout: Any, name: str) -> None:
        written = dict(buildout._raw.get(name, {}))
        super().__init__(buildout, name, written)
        self._raw = self._do_extend_raw(name, written, [])
