"""Fills a template, puts the file in its place at once."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from collective.recipe.template import Recipe as Template
from zc.buildout.buildout import Options

from .owner import Owner, give

FOLDER = Path(__file__).parent
OWNER_ONLY = 0o600
EVERYBODY = 0o644


def fill(
    template: str,
    values: Mapping[str, str],
    path: Path,
    mode: int,
    user: Owner | None = None,
) -> None:
    """Write the `template` of this package with its `values` to `path`.

    It is `user`'s, if there is one. Who reads it meanwhile gets the old file or the new
    one, whole.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    with _private_files():
        Template(None, "values", _Values(FOLDER / template, values, new)).install()
    new.chmod(mode)
    if user is not None:
        give(new, user)
    os.replace(new, path)


class _Values(Options):  # type: ignore[misc]
    """What fills the template: no section that buildout would save or print."""

    def __init__(self, template: Path, values: Mapping[str, str], output: Path) -> None:
        super().__init__({"values": self}, "values", {})
        self["input"] = str(template)
        self["output"] = str(output)
        self["mode"] = f"{OWNER_ONLY:04o}"
        for name, value in values.items():
            self[name] = value

    def created(self, *paths: str) -> list[str]:
        return list(paths)


@contextmanager
def _private_files() -> Iterator[None]:
    """New files are the owner's alone from their first byte on."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)
