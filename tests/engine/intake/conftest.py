"""An intake that takes every file at once."""

from __future__ import annotations

import pytest

from collective.maildrophost.engine import intake as module
from collective.maildrophost.engine.intake import Intake
from collective.maildrophost.engine.queue import open_queue


@pytest.fixture
def queue(tmp_path):
    queue = open_queue(f"sqlite:///{tmp_path}/queue.db")
    yield queue
    queue.close()


@pytest.fixture
def spool(tmp_path):
    spool = tmp_path / "spool"
    spool.mkdir()
    return spool


@pytest.fixture
def intake(queue, spool, monkeypatch):
    # The waiting itself is tested below, with the real time.
    monkeypatch.setattr(module, "QUIET_SECONDS", 0.0)
    return Intake(queue, [spool], add_message_id=True)
