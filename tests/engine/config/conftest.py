"""A configuration file written and loaded in one step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from collective.maildrophost.engine.config import Configuration, load

HOME = "MAILDROP_HOME=/srv/mail\n"
Load = Callable[..., Configuration]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "main.conf"


@pytest.fixture
def load_text(path: Path) -> Load:
    """Loads the given lines behind a MAILDROP_HOME, with this environment only."""

    def loaded(text: str = "", *, home: str = HOME, **environ: str) -> Configuration:
        path.write_text(home + text, encoding="utf-8")
        return load(path, environ)

    return loaded
