"""The programs of the buildout that the demo runs."""

from __future__ import annotations

import os
from pathlib import Path

from collective.maildrophost.engine.config import OPTIONS

ROOT = Path(__file__).resolve().parent.parent
MAILDROPCTL = ROOT / "bin" / "maildropctl"
PLONE_PYTHON = ROOT / "parts" / "instance" / "bin" / "interpreter"


def environment() -> dict[str, str]:
    """The demo's own, without what would change the daemon or a program's modules."""
    unwanted = {option.name for option in OPTIONS} | {"MAILDROP_CONFIG", "PYTHONPATH"}
    return {name: value for name, value in os.environ.items() if name not in unwanted}
