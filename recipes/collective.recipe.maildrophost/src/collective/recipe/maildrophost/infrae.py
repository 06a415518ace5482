"""The option names of infrae.maildrophost, in today's words."""

from __future__ import annotations

from pathlib import Path
from typing import Final

RENAMED: Final = {
    "mail-dir": "home",
    "spool-dir": "spool",
    # Its documentation says pool_interval, its code reads poll_interval.
    "poll-interval": "interval",
    "pool-interval": "interval",
}

CONFIGURATION_FILE: Final = "maildrophost.cfg"
"""Names the file that the configuration is written to."""

WITHOUT_MEANING: Final = frozenset({"version", "url", "target"})
"""Said where to download Products.MaildropHost from, in its releases before 2.0."""

DIRECTORY: Final = "maildrop"
"""Its working directory in var/, whatever the part is called."""


def in_todays_words(name: str) -> str:
    """`name` as an option of this recipe: hyphens, no renamed option."""
    hyphened = name.replace("_", "-")
    return RENAMED.get(hyphened, hyphened)


def home(var: Path, default: Path) -> Path:
    """The working directory it left behind in `var`, if mail can wait there.

    Only its `recipe =` line changes when a part moves to this recipe. The mail that
    waits in the old drop directory must be found all the same.
    """
    left_behind = var / DIRECTORY
    if (left_behind / "spool").is_dir() and not default.exists():
        return left_behind
    return default
