"""Programs that may do nothing that a file's mode forbids, as root could."""

from __future__ import annotations

import os


def bind(site) -> None:
    """Have the programs of a site be root without what makes root special."""
    if os.getuid() == 0:
        drop = ("--bounding-set=-all", "--inh-caps=-all")
        site.program = ("setpriv", *drop, *site.program)
