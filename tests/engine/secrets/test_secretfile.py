"""A file that holds a secret gives all of it, or says why it does not."""

from __future__ import annotations

import pytest

from collective.maildrophost.engine.secrets.secretfile import (
    MOST_OCTETS,
    read_line,
    read_text,
)


@pytest.mark.parametrize(
    "octets",
    [b" a b ", b" a b \n", b" a b \r\n", b"\n a b \n\n", b"\xef\xbb\xbf a b \n"],
)
def test_a_secret_is_what_stands_between_the_line_ends(tmp_path, octets):
    file = tmp_path / "secret"
    file.write_bytes(octets)
    assert read_line(str(file)).reveal() == " a b "


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (b"", "empty"),
        (b"\n\r\n", "empty"),
        (b"one\ntwo", "exactly one line"),
        (b"one\rtwo", "exactly one line"),
        (b"a\0b", "exactly one line"),
        (b"\xff\xfe", "expected UTF-8 text"),
        (b"x" * (MOST_OCTETS + 1), "expected at most 100000 bytes"),
        (None, "expected a readable file"),
    ],
)
def test_what_is_no_line_is_told_with_the_file(tmp_path, octets, words):
    file = tmp_path / "secret"
    if octets is not None:
        file.write_bytes(octets)
    with pytest.raises(ValueError, match=words) as raised:
        read_line(str(file))
    assert str(file) in str(raised.value)


def test_a_key_may_have_many_lines_and_is_never_cut_off(tmp_path):
    file = tmp_path / "key"
    file.write_text("{\n}\n" + "\n" * 10)
    assert read_text(str(file)) == "{\n}"
    file.write_bytes(b"x" * MOST_OCTETS)
    assert len(read_text(str(file))) == MOST_OCTETS
    file.write_bytes(b"x" * (MOST_OCTETS + 1))
    with pytest.raises(ValueError, match="at most"):
        read_text(str(file))
