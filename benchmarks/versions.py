"""The versions that were measured, and the machine."""

from __future__ import annotations

import os
import platform
import sqlite3
from importlib import metadata

from .programs import installed, run


def versions() -> str:
    """One line for each program, one for the machine."""
    postconf = installed("postconf")
    lines = [
        f"Python {platform.python_version()}, uvloop {_of('uvloop')}, "
        f"SQLite {sqlite3.sqlite_version}",
        f"collective.maildrophost {_of('collective.maildrophost')}, "
        f"zope.sendmail {_of('zope.sendmail')}, "
        f"Postfix {_postfix(postconf) if postconf else 'not installed'}",
        f"{platform.system()} {platform.release()}, {os.cpu_count()} cores, "
        f"load before the start {os.getloadavg()[0]:.1f}",
    ]
    return "\n".join(lines)


def has_uvloop() -> bool:
    return _of("uvloop") != "not installed"


def _of(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "not installed"


def _postfix(postconf: str) -> str:
    # Its defaults need no configuration of the machine.
    return run((postconf, "-d", "-h", "mail_version")).strip()
