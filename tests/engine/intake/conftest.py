"""An intake that takes every file at once."""

from __future__ import annotations

import pytest

from collective.maildrophost.engine.intake import Intake
from collective.maildrophost.engine.intake import scan as module


@pytest.fixture
def spool(tmp_path):
    spool = tmp_path / "spool"
    spool.mkdir()
    return spool


@pytest.fixture
def intake(queue, spool, monkeypatch):
    # The waiting has tests of its own, with the real time: test_quiet.py.
    monkeypatch.setattr(module, "QUIET_SECONDS", 0.0)
    return Intake(queue, [spool], add_message_id=True)
