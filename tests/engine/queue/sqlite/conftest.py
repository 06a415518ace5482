"""A queue on SQLite, and where its file is."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "home" / "queue.db"


@pytest.fixture
def url(path) -> str:
    return f"sqlite:///{path}"
