"""The address to bind or connect a socket by, however deep its directory is."""

# Rules of this file:
# - A socket stays in the directory that it belongs to, where every program finds it,
#   from another container as well.
# - Where its path is longer than the system allows, a link with a short name leads to
#   the directory for just that moment. It lies in a new directory of our own each time,
#   so nobody can have put anything in its place.

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LONGEST_BYTES = 100
"""Fits into sockaddr_un everywhere, which has 104 on macOS and BSDs, 108 on Linux."""
TEMPORARY = "/tmp"  # noqa: S108  nothing stays there; TMPDIR may itself be too long
_LINK = "d"


@contextmanager
def socket_address(path: Path) -> Iterator[str]:
    """The address of a socket at `path`, valid within the block. Raises OSError."""
    if len(os.fsencode(path)) <= LONGEST_BYTES:
        yield str(path)
        return
    import tempfile  # slow to import, and few directories are that deep

    with tempfile.TemporaryDirectory(prefix="maildrop-", dir=TEMPORARY) as own:
        link = os.path.join(own, _LINK)
        os.symlink(os.path.abspath(path.parent), link)
        yield os.path.join(link, path.name)
