"""The user of the system that a daemon runs as, to whom its files belong."""

from __future__ import annotations

import grp
import logging
import os
import pwd
from dataclasses import dataclass
from pathlib import Path

_ROOT = 0
_GO_THROUGH = 0o011


@dataclass(frozen=True)
class Owner:
    """A user with its main group; where they have no names, their numbers."""

    uid: int
    gid: int
    name: str
    group: str


def owner(name: str) -> Owner:
    """The user called `name`, or who runs buildout for ""; KeyError without one."""
    if name:
        entry = pwd.getpwnam(name)
        return Owner(entry.pw_uid, entry.pw_gid, name, _group(entry.pw_gid))
    uid, gid = os.getuid(), os.getgid()
    try:
        return Owner(uid, gid, pwd.getpwuid(uid).pw_name, _group(gid))
    except KeyError:
        return Owner(uid, gid, str(uid), _group(gid))


def give(path: Path, to: Owner) -> None:
    """Make `path` belong to a daemon's user, which only root can do."""
    if os.getuid() == _ROOT and path.stat().st_uid != to.uid:
        os.chown(path, to.uid, to.gid)


def make_way(path: Path, to: Owner) -> None:
    """Make the directories above `path` that are missing, for its user to go through.

    They stay who builds': daemons of other users may have theirs below them.
    """
    missing = [above for above in path.parents if not os.path.lexists(above)]
    for directory in reversed(missing):
        directory.mkdir(exist_ok=True)
        if os.getuid() == _ROOT != to.uid:
            directory.chmod(directory.stat().st_mode | _GO_THROUGH)


def warn_of_a_stranger(section: str, user: Owner) -> None:
    """Say that somebody else could not read what this run of buildout writes."""
    builder = owner("")
    if builder.uid not in (_ROOT, user.uid):
        logging.getLogger(section).warning(
            "user: the configuration belongs to %s, so %s cannot read it: "
            "run buildout as %s, or as root.",
            builder.name,
            user.name,
            user.name,
        )


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
