"""The stream through PostgreSQL goes to its end, slice by slice."""

from __future__ import annotations

from benchmarks import churn

MESSAGES = 400


def test_every_message_of_the_stream_is_settled(monkeypatch):
    monkeypatch.setattr(churn, "STALL_SECONDS", 10.0)
    slices = list(churn.measure_churn(MESSAGES))
    assert [each.messages for each in slices] == list(range(40, MESSAGES + 1, 40))
    assert all(each.rate > 0 and each.median > 0 for each in slices)
