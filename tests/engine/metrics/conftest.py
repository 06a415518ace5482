"""A queue to be watched."""

from __future__ import annotations

import pytest

from collective.maildrophost.engine.queue import open_queue


@pytest.fixture
def queue(tmp_path):
    queue = open_queue(f"sqlite:///{tmp_path}/queue.db")
    yield queue
    queue.close()
