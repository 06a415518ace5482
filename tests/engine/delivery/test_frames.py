"""What a daemon and its bookkeeper tell each other arrives, however large it is."""

from __future__ import annotations

import tracemalloc

import pytest

from collective.maildrophost.engine.delivery.frames import frame, parts

MEGABYTE = 2**20


def received(sent):
    """What comes out where the octets of the `sent` parts go in."""
    left, coming = [memoryview(part) for part in sent], frame()
    try:
        while True:
            room = next(coming)
            room[:] = left[0][: len(room)]
            left[0] = left[0][len(room) :]
            if not left[0]:
                del left[0]
    except StopIteration as end:
        assert not left
        return end.value


@pytest.mark.parametrize("sizes", [(), (62,), (2 * MEGABYTE,), (2 * MEGABYTE, 0) * 3])
def test_a_value_comes_out_as_it_went_in(sizes, claimed):
    claims = [
        claimed("b@x.org", content=bytes([number]) * size, size=size)
        for number, size in enumerate(sizes)
    ]
    assert received(parts(claims)) == claims


@pytest.mark.parametrize("content", [None, b""])
def test_a_large_message_that_has_lost_its_content_comes_over(content, claimed):
    claims = [claimed("b@x.org", content=content, size=2 * MEGABYTE)]
    assert received(parts(claims)) == claims


def test_large_content_is_in_memory_once_at_each_end(claimed):
    size = 20 * MEGABYTE
    claims = [claimed("b@x.org", content=b"x" * size, size=size)]
    tracemalloc.start()
    try:
        assert received(parts(claims)) == claims
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1.1 * size
