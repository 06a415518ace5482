"""The user of the system that a daemon runs as, to whom its files belong."""

from __future__ import annotations

import grp
import logging
import os
import pwd
from dataclasses import dataclass

_ROOT = 0


@dataclass(frozen=True)
class Owner:
    """A user with its main group; where they have no names, their numbers."""

    uid: int
    gid: int
    name: str
    group: str


def owner(name: str) -> Owner:
    """The user called `name`; for "" whoever runs buildout. KeyError for no user."""
    if name:
        entry = pwd.getpwnam(name)
        return Owner(entry.pw_uid, entry.pw_gid, name, _group(entry.pw_gid))
    uid, gid = os.getuid(), os.getgid()
    try:
        return Owner(uid, gid, pwd.getpwuid(uid).pw_name, _group(gid))
    except KeyError:
        return Owner(uid, gid, str(uid), _group(gid))


def give(handle: int, to: Owner) -> None:
    """Make an open file belong to a daemon's user, which only root can do.

    In a directory of that user, a path could have become a link by now, to a file that
    must never be the user's.
    """
    if is_for_another(to) and os.fstat(handle).st_uid != to.uid:
        os.fchown(handle, to.uid, to.gid)


def is_for_another(user: Owner) -> bool:
    """Whether root builds for `user`, who is not root."""
    return os.getuid() == _ROOT != user.uid


def warn_of_a_stranger(section: str, user: Owner) -> None:
    """Say when `user` could not read what this run of buildout writes."""
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
