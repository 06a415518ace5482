"""The option names of infrae.maildrophost, in today's words."""

from __future__ import annotations

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

WITHOUT_MEANING: Final = frozenset(
    {"version", "url", "target", "dont_create_directories"}
)
"""Where to download Products.MaildropHost before 2.0 from; and that its directories are
there already, which those of today are not."""


def in_todays_words(name: str) -> str:
    """`name` as an option of this recipe: hyphens, no renamed option."""
    hyphened = name.replace("_", "-")
    return RENAMED.get(hyphened, hyphened)
