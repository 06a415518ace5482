"""Fills a template, and puts the file in its place in one step."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from collective.recipe.template import Recipe as Template
from zc.buildout.buildout import Options

from .owner import Owner, give

FOLDER = Path(__file__).parent
OWNER_ONLY = 0o600
EVERYBODY = 0o644


def fill(
    template: str, values: Mapping[str, str], path: Path, user: Owner | None = None
) -> None:
    """Write the `template` of this package with its `values` to `path`.

    Everybody may read it, unless it is made `user`'s: then nobody else may. Whoever
    reads it meanwhile gets the old file or the new one, whole.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    text = Template(None, "values", _Values(FOLDER / template, values, path)).result
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with open(new, "x", encoding="utf-8", opener=_for_the_owner_alone) as file:
        file.write(text)
        os.fchmod(file.fileno(), EVERYBODY if user is None else OWNER_ONLY)
        if user is not None:
            give(file.fileno(), user)
    os.replace(new, path)


class _Values(Options):  # type: ignore[misc]
    """What fills the template: no section that buildout would save or print."""

    def __init__(self, template: Path, values: Mapping[str, str], output: Path) -> None:
        super().__init__({"values": self}, "values", {})
        self["input"] = str(template)
        self["output"] = str(output)
        for name, value in values.items():
            self[name] = value


def _for_the_owner_alone(path: str, flags: int) -> int:
    """Open it so that nobody else can read even its first byte."""
    return os.open(path, flags, OWNER_ONLY)
