"""Work in processes of their own counts only when all of them have begun."""

from __future__ import annotations

from typing import NoReturn

import pytest

from benchmarks.failure import BenchmarkFailed
from benchmarks.page import forked


def test_nothing_is_measured_beside_a_process_that_never_began(monkeypatch, capfd):
    monkeypatch.setattr(forked, "_PATIENCE_SECONDS", 0.5)

    def unable() -> NoReturn:
        raise OSError("the queue cannot be opened")

    with pytest.raises(BenchmarkFailed, match="unable"), forked.beside(unable):
        pytest.fail("it was measured")
    assert "the queue cannot be opened" in capfd.readouterr().err
