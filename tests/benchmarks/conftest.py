"""How busy this machine is says nothing about the benchmarks."""

from __future__ import annotations

import pytest
from waiting import PATIENCE_SECONDS

from benchmarks import churn, measuring, sink
from benchmarks.page import busy


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    monkeypatch.setattr(measuring, "BLIND_SECONDS", 600.0)
    for module, name in (
        (measuring, "STALL_SECONDS"),
        (churn, "STALL_SECONDS"),
        (sink, "START_SECONDS"),
        (busy, "START_SECONDS"),
    ):
        monkeypatch.setattr(module, name, PATIENCE_SECONDS)
