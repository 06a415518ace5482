"""Warns of mail in a home that no daemon of the buildout has any more."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from pathlib import Path

from .homes import names_in


def warn(part: str, homes: Iterable[str], in_use: Iterable[str]) -> None:
    """Name those former `homes` of `part` that may hold mail and are not `in_use`.

    The programs that knew of them are removed, or work on another home from now on:
    nobody would find the mail, and `status` would say that all is well.
    """
    taken = {os.path.realpath(home) for home in in_use}
    for home in homes:
        path = Path(os.path.realpath(home))
        if str(path) not in taken and _may_hold_mail(path):
            logging.getLogger(part).warning(
                "%s is no daemon's home any more: once no daemon runs there, nobody "
                "delivers the mail in it. Set home = %s for the daemon that is to "
                "have it, or move the mail with 'import'.",
                path,
                path,
            )


def _may_hold_mail(home: Path) -> bool:
    try:
        return "queue.db" in names_in(home) or bool(names_in(home / "spool"))
    except OSError:
        return True  # another user's, who may have mail there
