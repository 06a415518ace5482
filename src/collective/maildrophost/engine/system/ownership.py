"""What root makes belongs to the user who works with it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

_ROOT = 0


def belong_as(handle: int, path: Path) -> None:
    """Give an open file the owner of what is at `path`, as far as root can.

    A command that root runs must leave nothing that the daemon or Zope cannot use.
    """
    if os.geteuid() == _ROOT:
        # Root in a container may be nobody outside it, or lack the right to do this.
        with contextlib.suppress(OSError):
            model = path.stat()
            os.fchown(handle, model.st_uid, model.st_gid)
