"""Makes missing directories, each by way of the open one above it."""

# What root makes in a user's directory, that user can move away and put a link in its
# place: a path that is looked up again may lead anywhere.

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from stat import S_IMODE

from .owner import Owner, give, is_for_another

_OWNER_ONLY = 0o700
_GO_THROUGH = 0o011

_NO_LINK = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
# Who may write in a directory need not be allowed to read it.
_ANY = os.O_DIRECTORY | getattr(os, "O_PATH", os.O_RDONLY)


def make_directory(path: Path, to: Owner) -> None:
    """Make `path`, for its user alone, and the way to it."""
    with _way(path, to) as above:
        os.mkdir(path.name, _OWNER_ONLY, dir_fd=above)
        with _opened(path.name, _NO_LINK, above) as new:
            give(new, to)


def make_way(path: Path, to: Owner) -> None:
    """Make the directories above `path` that are missing, for its user to go through.

    They belong to whoever builds: daemons of other users may have theirs below them.
    """
    with _way(path, to):
        pass


@contextmanager
def _way(path: Path, to: Owner) -> Iterator[int]:
    """The directory above `path`, open, once the way to it is made."""
    missing = [above for above in path.parents if not os.path.lexists(above)]
    with ExitStack() as opened:
        last = opened.enter_context(_opened(path.parents[len(missing)], _ANY))
        for directory in reversed(missing):
            with suppress(FileExistsError):  # .. exists once what is before it does
                os.mkdir(directory.name, dir_fd=last)
            last = opened.enter_context(_opened(directory.name, _NO_LINK, last))
            if is_for_another(to):
                os.fchmod(last, S_IMODE(os.fstat(last).st_mode) | _GO_THROUGH)
        yield last


@contextmanager
def _opened(path: Path | str, flags: int, above: int | None = None) -> Iterator[int]:
    handle = os.open(path, flags, dir_fd=above)
    try:
        yield handle
    finally:
        os.close(handle)
