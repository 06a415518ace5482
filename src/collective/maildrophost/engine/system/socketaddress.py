"""What a socket is bound or connected by, however deep its directory is."""

# Rules of this file:
# - A socket stands in the directory that it belongs to, where each program finds it, in
#   another container as well.
# - Where the path is longer than the system allows, a link with a short name leads to
#   the directory for that one moment. Its name is another one each time and within a
#   directory that is ours: nobody can have taken it before.

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LONGEST_BYTES = 100
"""What fits into sockaddr_un everywhere (104 on the BSDs with macOS, 108 on Linux)."""
TEMPORARY = "/tmp"  # noqa: S108  nothing stays there; TMPDIR may itself be too long
_LINK = "d"


@contextmanager
def socket_address(path: Path) -> Iterator[str]:
    """The address of a socket at `path`, good until the end of the block; OSError."""
    if len(os.fsencode(path)) <= LONGEST_BYTES:
        yield str(path)
        return
    import tempfile  # it takes its time, and few directories are that deep

    with tempfile.TemporaryDirectory(prefix="maildrop-", dir=TEMPORARY) as own:
        link = os.path.join(own, _LINK)
        os.symlink(os.path.abspath(path.parent), link)
        yield os.path.join(link, path.name)
