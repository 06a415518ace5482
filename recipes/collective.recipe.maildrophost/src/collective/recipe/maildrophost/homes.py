"""The home of a daemon whose section does not set one."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from zc.buildout import UserError

from .infrae import in_todays_words
from .unmade import Unmade
from .values import without_comment

OF_INFRAE: Final = "maildrop"
"""The home of infrae.maildrophost in var/, whatever the part was called."""


@dataclass(frozen=True)
class _Home:
    """The home of a daemon of another part: the one it sets, or its default."""

    daemon: str
    part: str
    path: Path
    is_said: bool

    def claims(self, directory: Path) -> bool:
        """Whether `directory` is this home, or is named after this one's part."""
        is_its_home = os.path.realpath(self.path) == os.path.realpath(directory)
        return is_its_home or self.part == directory.name

    def could_move(self) -> bool:
        """Whether its daemon could go on with a home that was left behind instead."""
        return not self.is_said and not _holds_mail(self.path)


def default(buildout: Any, *names: str) -> Path:
    """The home in var/ by these names: PART, or PART and DAEMON if it is listed."""
    return Path(buildout["buildout"]["directory"]).joinpath("var", *names)


def default_or_left_behind(buildout: Any, part: str) -> Path:
    """The home of a part's only daemon: its default, or infrae.maildrophost's old one.

    When a part moves to this recipe, only its `recipe =` line changes. The mail that
    waits in the old drop directory must be found all the same. Raises UserError when
    it may be another part's.
    """
    own, left_behind = default(buildout, part), default(buildout, OF_INFRAE)
    if _holds_mail(own) or not _holds_mail(left_behind):
        return own
    others = list(_other_homes(buildout, part))
    if any(other.claims(left_behind) for other in others):
        return own
    rivals = [other.daemon for other in others if other.could_move()]
    if rivals:
        names = " and ".join([part, *rivals])
        raise UserError(
            f"[{part}] home: {left_behind} was an earlier daemon's home, and {names} "
            f"could each go on with it. Set home = {left_behind} in the section of the "
            "one that is to do so."
        )
    return left_behind


def _holds_mail(directory: Path) -> bool:
    """Whether a daemon had its home there; a log in it is no sign of one."""
    return not {"spool", "queue.db"}.isdisjoint(names_in(directory))


def names_in(directory: Path) -> list[str]:
    """What is in it, if there is such a directory; OSError where nobody may look.

    Path.exists does not tell the two apart any more since Python 3.14.
    """
    try:
        return os.listdir(directory)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _other_homes(buildout: Any, part: str) -> Iterator[_Home]:
    """The homes of the daemons of all other parts that have this recipe."""
    recipe = buildout[part]["recipe"]
    for name in buildout["buildout"]["parts"].split():
        section = Unmade(buildout, name)
        if name != part and section.get("recipe") == recipe:
            yield from _homes(buildout, name, section)


def _homes(buildout: Any, part: str, section: Mapping[str, str]) -> Iterator[_Home]:
    start = Path(buildout["buildout"]["directory"])
    shared = _said(section, "home", "daemons")
    listed = shared.get("daemons", "").split()
    for name in listed or [part]:
        own = _said(Unmade(buildout, name), "home") if listed else {}
        said = {**shared, **own}.get("home")
        names = (part, name) if listed else (part,)
        path = start / said if said else default(buildout, *names)
        yield _Home(name, part, path, bool(said))


def _said(section: Mapping[str, str], *names: str) -> dict[str, str]:
    return {
        in_todays_words(written): without_comment(section[written]).strip()
        for written in section
        if in_todays_words(written) in names
    }
