"""What a caller gives as recipients may be as large as a form."""

from __future__ import annotations

import tracemalloc

import pytest

from collective.maildrophost.engine.message import InvalidMessage
from collective.maildrophost.submission import envelope


@pytest.mark.parametrize("opening", ['"', "(", '"\\\\', "(\\\\"])
def test_an_unclosed_quote_or_bracket_takes_no_memory_for_each_character(opening):
    text = "a@x.org; " + opening + opening[1:] * 100_000 + "x" * 100_000
    tracemalloc.start()
    try:
        with pytest.raises(InvalidMessage):
            envelope.recipients("", text)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20 * len(text)
