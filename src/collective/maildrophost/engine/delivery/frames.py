"""Values as they travel between the processes of a daemon."""

# Rules of this file:
# - Both ends are forked from one process, and no other has the pipe: so they pickle.
# - Large content stands behind the value that it belongs to (PEP 574), and is received
#   where it will stay: a message of 50 MB is once in each process, not four times.

from __future__ import annotations

import io
import pickle
import struct
from collections.abc import Generator, Sequence
from typing import TypeAlias

Octets: TypeAlias = bytes | memoryview
Frame: TypeAlias = Generator[memoryview, None, object]
"""Yields one buffer after another to be filled with what comes; returns the value."""

_COUNTS = struct.Struct("!QI")


def parts(value: object) -> list[Octets]:
    """What to send for `value`, one after the other."""
    beside: list[pickle.PickleBuffer] = []
    octets = pickle.dumps(value, pickle.HIGHEST_PROTOCOL, buffer_callback=beside.append)
    contents = [each.raw() for each in beside]
    sizes = struct.pack(f"!{len(contents)}Q", *map(len, contents))
    return [_COUNTS.pack(len(octets), len(contents)) + sizes + octets, *contents]


def frame() -> Frame:
    """The value that comes in the parts that `parts` has made of it."""
    counts = bytearray(_COUNTS.size)
    yield memoryview(counts)
    length, count = _COUNTS.unpack(counts)
    head = bytearray(8 * count + length)
    yield memoryview(head)
    contents: list[bytes] = []
    for size in struct.unpack_from(f"!{count}Q", head):
        contents.append((yield from _content(size)))
    return _value(memoryview(head)[8 * count :], contents)


def _content(size: int) -> Generator[memoryview, None, bytes]:
    # `getvalue` returns the very octets that were filled: nothing is copied.
    room = io.BytesIO()
    room.seek(size - 1)
    room.write(b"\0")
    with room.getbuffer() as view:
        yield view
    return room.getvalue()


def _value(octets: memoryview, contents: Sequence[bytes]) -> object:
    # Written by the other process of this daemon: no third one can write to the pipe.
    return pickle.loads(octets, buffers=contents)  # noqa: S301
