"""Reads a section of the buildout without making its part."""

from __future__ import annotations

from typing import Any

from zc.buildout.buildout import Options


class Unmade(Options):  # type: ignore[misc]
    """A section as it is written, whose part is not made by asking for an option.

    What another part says may refer to this one, which cannot answer before it has its
    own home.
    """

    def __init__(self, buildout: Any, name: str) -> None:
        written = dict(buildout._raw.get(name, {}))
        super().__init__(buildout, name, written)
        self._raw = self._do_extend_raw(name, written, [])
