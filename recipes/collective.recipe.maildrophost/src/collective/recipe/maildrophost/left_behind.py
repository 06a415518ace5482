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
    if _holds_mail(default) or not _holds_mail(left_behind):
        return default
    homes = _other_homes(buildout, part)
    if left_behind in homes.values():
        return default
    rivals = [name for name, said in homes.items() if not _holds_mail(said)]
    if rivals:
        names = " and ".join([part, *rivals])
        raise UserError(
            f"[{part}] home: {left_behind} is that of a daemon before, and {names} "
            f"could each go on with it. Say home = {left_behind} in the part that does."
        )
    return left_behind


def _holds_mail(directory: Path) -> bool:
    """Whether a daemon had its home there; a log in it is no sign of one."""
    return any((directory / each).exists() for each in ("spool", "queue.db"))


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
