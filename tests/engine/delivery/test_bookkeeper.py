"""The bookkeeper as a process: it is named, and waited for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from waiting import wait_until

from collective.maildrophost.engine.delivery import bookkeeper

NAME = "maildrop-books\n"
"""docs/monitoring.md tells it."""


def test_the_process_has_a_name_of_its_own(queue):
    with bookkeeper(queue) as keeper:
        comm = Path(f"/proc/{keeper._pid}/comm")
        wait_until(lambda: comm.read_text() == NAME, what="its name")


def test_the_process_has_ended_once_its_block_has(queue):
    with bookkeeper(queue) as keeper:
        pass
    with pytest.raises(ChildProcessError):
        os.waitpid(keeper._pid, os.WNOHANG)
