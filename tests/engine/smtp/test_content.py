"""The wire form of content."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collective.maildrophost.engine.smtp import content as module
from collective.maildrophost.engine.smtp.content import wire_blocks, wire_size

TEXT = st.lists(st.sampled_from([b"\r", b"\n", b".", b"a", b"\r\n", b"\xff"])).map(
    b"".join
)


def wire(content):
    return b"".join(wire_blocks(content))


def received(data):
    """What a server makes of the data: RFC 5321 section 4.5.2."""
    assert data.endswith(b"\r\n.\r\n") or data == b".\r\n"
    lines = data[: -len(b".\r\n")].split(b"\r\n")[:-1]
    assert b"." not in lines
    return b"".join(line.removeprefix(b".") + b"\r\n" for line in lines)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", b".\r\n"),
        (b"a", b"a\r\n.\r\n"),
        (b"a\n", b"a\r\n.\r\n"),
        (b"a\rb\nc\r\nd", b"a\r\nb\r\nc\r\nd\r\n.\r\n"),
        (b".", b"..\r\n.\r\n"),
        (b"a\n.\nb", b"a\r\n..\r\nb\r\n.\r\n"),
        (b"\r.\r", b"\r\n..\r\n.\r\n"),
        (b"a\n\r\n.", b"a\r\n\r\n..\r\n.\r\n"),
        (b"\xc3\xa4\0", b"\xc3\xa4\0\r\n.\r\n"),
    ],
)
def test_lines_end_with_crlf_and_dots_are_doubled(content, expected):
    assert wire(content) == expected


@given(TEXT, st.integers(1, 7))
def test_the_server_gets_the_lines_however_the_content_is_cut(content, size):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK_OCTETS", size)
        data = wire(content)
    lines = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if lines and not lines.endswith(b"\n"):
        lines += b"\n"
    assert received(data) == lines.replace(b"\n", b"\r\n")


@given(TEXT)
def test_no_bare_line_end_leaves(content):
    rest = wire(content).replace(b"\r\n", b"")
    assert b"\r" not in rest
    assert b"\n" not in rest


@given(TEXT)
def test_the_size_counts_neither_stuffed_dots_nor_the_last_one(content):
    assert wire_size(content) == len(received(wire(content)))


def test_small_content_is_one_block():
    assert len(list(wire_blocks(b"x\r\n" * 1000))) == 1


def test_large_content_is_many_blocks():
    blocks = list(wire_blocks(b"x" * (10 * module.BLOCK_OCTETS + 1)))
    assert len(blocks) == 11
    assert max(map(len, blocks)) <= module.BLOCK_OCTETS + 10
