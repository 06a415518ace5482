"""Finds the home that infrae.maildrophost left behind."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from zc.buildout import UserError

from .infrae import in_todays_words
from .unmade import Unmade
from .values import without_comment

DIRECTORY: Final = "maildrop"
"""Its working directory in var/, whatever the part is called."""


def home(buildout: Any, part: str, default: Path) -> Path:
    """The working directory it left behind beside `default`, if mail can wait there.

    Only its `recipe =` line changes when a part moves to this recipe. The mail that
    waits in the old drop directory must be found all the same. Raises UserError when
    it may be another part's.
    """
    left_behind = default.parent / DIRECTORY
    mail = (left_behind / "spool", left_behind / "queue.db")
    if default.exists() or not any(each.exists() for each in mail):
        return default
    homes = _other_homes(buildout, part)
    if left_behind in homes.values():
        return default
    rivals = [name for name, said in homes.items() if not said.exists()]
    if rivals:
        names = " and ".join([part, *rivals])
        raise UserError(
            f"[{part}] home: {left_behind} is that of a daemon before, and {names} "
            f"could each go on with it. Say home = {left_behind} in the part that does."
        )
    return left_behind


def _other_homes(buildout: Any, part: str) -> dict[str, Path]:
    """Those of the other parts of this recipe that are one daemon each."""
    start = Path(buildout["buildout"]["directory"])
    recipe = buildout[part]["recipe"]
    homes = {}
    for name in buildout["buildout"]["parts"].split():
        section = Unmade(buildout, name)
        if name != part and section.get("recipe") == recipe:
            said = _said(section, "home", "daemons")
            if not said.get("daemons"):
                homes[name] = start / (said.get("home") or f"var/{name}")
    return homes


def _said(section: Mapping[str, str], *names: str) -> dict[str, str]:
    return {
        in_todays_words(written): without_comment(section[written]).strip()
        for written in section
        if in_todays_words(written) in names
    }
