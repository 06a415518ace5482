"""Whatever a message is made of, it can travel, and is read as before."""

from __future__ import annotations

import quopri
from email import message_from_bytes
from zlib import crc32

from engine.smtp.conversions import EVERYTHING, longest, parsed, with_lf
from hypothesis import assume, example, given
from hypothesis import strategies as st

from collective.maildrophost.engine.smtp.content import BLOCK_OCTETS
from collective.maildrophost.engine.smtp.conversion import convert
from collective.maildrophost.engine.smtp.needs import (
    MAX_LINE_OCTETS,
    Needs,
    has_long_line,
)
from collective.maildrophost.engine.smtp.transferencoding import as_quoted_printable

PIECES = st.sampled_from(
    [
        b"Content-Type: text/plain; charset=utf-16\n",
        b"Content-Type: text/html; charset=\xff\n",
        b"Content-Type: multipart/mixed; boundary=b\n",
        b"Content-Type: multipart/digest; boundary*=x''b\n",
        b"Content-Type: multipart/mixed; boundary*=utf-8''%E2%82%AC\n",
        b'Content-Type: multipart/alternative;\n boundary="b" (x\n',
        b"Content-Transfer-Encoding: base64\n",
        b"Content-Transfer-Encoding: quoted-printable\n",
        b"Content-Transfer-Encoding: 8bit\r\n",
        b"Content-Type: message/rfc822\n",
        b"From: \xff\xfe <\xc3\xa4@b>, ;:\n",
        b'To: \xc3\xa4@\xc3\xa4.example, "\xc3\xa4\n',
        b"Subject: \xc3\xa4\r x\n",
        b"\xe4: \xe4\n",
        b"X: a\n\tb",
        b"\n",
        b"\r\n",
        b"--b\n",
        b"--b--\n",
        b"\xc3\xa4\r\n",
        b"\xc3\xa4.\n",
        b"\0\xff",
        b"x" * 999,
        b"a, " * 400,
    ]
)


CONTENTS = st.lists(PIECES, max_size=12).map(b"".join)


@given(CONTENTS)
def test_whatever_comes_leaves_in_ascii_without_nul(content):
    encoded = convert(content, EVERYTHING)
    assert encoded.isascii()
    assert b"\0" not in encoded


@given(CONTENTS, st.booleans(), st.booleans(), st.booleans())
def test_what_is_not_needed_is_not_done(content, seven_bits, shorter_lines, no_nul):
    needs = Needs(seven_bits, seven_bits, shorter_lines, no_nul)
    assume(seven_bits <= (not content.isascii()))
    encoded = convert(content, needs)
    fit = (content.isascii() or not seven_bits) and not (
        (shorter_lines and has_long_line(content)) or (no_nul and b"\0" in content)
    )
    if fit:
        assert encoded == content


@given(CONTENTS)
def test_no_header_becomes_another_and_none_is_added(content):
    before = message_from_bytes(content.replace(b"\0", b""))
    after = message_from_bytes(convert(content, EVERYTHING))
    added = {"content-type", "content-transfer-encoding", "mime-version"}

    def names(message):
        return [name.lower().strip() for name, _ in message.raw_items()]

    assume(all(len(name) <= MAX_LINE_OCTETS for name in before))
    if before.keys():
        kept = [name for name in names(after) if name not in added]
        assert kept == [name for name in names(before) if name not in added]


TEXTS = st.text(st.sampled_from("aä \n.=€𝄞\t"), max_size=60).map(lambda t: t + "\n")


LEAVES = st.one_of(
    st.tuples(st.just("text"), TEXTS | TEXTS.map(lambda text: text + "x" * 1200)),
    st.tuples(st.just("octets"), st.binary(max_size=60).map(lambda data: data * 30)),
)


def built(tree):
    """A message of (kind, what is in it) pairs, written without any encoding."""
    kind, inside = tree
    if kind == "multipart":
        mark = b"b%d" % crc32(repr(inside).encode())
        parts = b"".join(b"--" + mark + b"\n" + built(each) for each in inside)
        head = b"Content-Type: multipart/mixed; boundary=" + mark
        return head + b"\n\n" + parts + b"--" + mark + b"--\n"
    if kind == "octets":
        return b"Content-Type: application/octet-stream\n\n" + inside + b"\r\n"
    return b"Content-Type: text/plain; charset=utf-8\n\n" + inside.encode() + b"\n"


@given(
    st.recursive(
        LEAVES,
        lambda inner: st.tuples(
            st.just("multipart"), st.lists(inner, min_size=1, max_size=3)
        ),
        max_leaves=5,
    )
)
@example(("octets", b"\r\n"))
def test_every_part_is_read_as_before(tree):
    content = b"MIME-Version: 1.0\n" + built(tree)

    def read(message):
        if message.is_multipart():
            return [read(part) for part in message.iter_parts()]
        data = message.get_payload(decode=True)
        if message.get_content_maintype() == "text":
            return with_lf(data.decode()).rstrip("\n")
        return data if message["Content-Transfer-Encoding"] == "base64" else None

    def meant(tree):
        kind, inside = tree
        if kind == "multipart":
            return [meant(each) for each in inside]
        return inside.rstrip("\n") if kind == "text" else inside

    encoded = convert(content, EVERYTHING)
    assert encoded.isascii()
    assert longest(encoded) <= MAX_LINE_OCTETS

    def same(after, before):
        if isinstance(before, list):
            assert len(after) == len(before)
            for one, other in zip(after, before, strict=True):
                same(one, other)
        elif isinstance(before, str):
            assert after == before
        elif after is not None:  # octets that had to be encoded
            # The line end before a boundary is the boundary's; here may be none.
            assert after in (before, before + b"\r\n")

    same(read(parsed(encoded)), meant(tree))


@given(
    st.lists(st.sampled_from([b"a" * 73, b"a", b"\xc3\xa4", b" ", b"\t", b"\n", b"="])),
    st.sampled_from([b"", b"b"]),
)
@example([b"a" * 73, b"a", b"a", b" ", b"\n"], b"")
@example([b"a" * 73, b"a", b"a", b"a"], b"b")
def test_no_line_of_quoted_printable_is_too_long(pieces, more):
    """RFC 2045 section 6.7, rule 5; a block may end anywhere."""
    end = b"".join(pieces)[:BLOCK_OCTETS]
    text = b"\n" * (BLOCK_OCTETS - len(end)) + end + more
    encoded = as_quoted_printable(text)
    assert longest(encoded) <= 76
    assert quopri.decodestring(encoded) == text
