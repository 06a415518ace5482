"""The programs of the buildout that the demo runs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from collective.maildrophost.engine.config import OPTIONS

ROOT = Path(__file__).resolve().parent.parent
MAILDROPCTL = ROOT / "bin" / "maildropctl"
PLONE_PYTHON = ROOT / "parts" / "instance" / "bin" / "interpreter"


def environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """`environ` without what would change the daemon or the modules of a program."""
    unwanted = {option.name for option in OPTIONS} | {"MAILDROP_CONFIG", "PYTHONPATH"}
    return {name: value for name, value in environ.items() if name not in unwanted}
