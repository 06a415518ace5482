"""Messages changed so that they can travel."""

from __future__ import annotations

import base64
import time
import tracemalloc
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from collective.maildrophost.engine.smtp.content import BLOCK_OCTETS
from collective.maildrophost.engine.smtp.conversion import convert
from collective.maildrophost.engine.smtp.needs import (
    MAX_LINE_OCTETS,
    Needs,
    has_long_line,
)

SEVEN_BITS = Needs(seven_bits=True, ascii_headers=True)
SHORT_LINES = Needs(shorter_lines=True)
EVERYTHING = Needs(True, True, True, True)


def parsed(content):
    return message_from_bytes(content, policy=policy.default)


def longest(content):
    lines = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    return max(map(len, lines))


def with_lf(text):
    return text.replace("\r\n", "\n").replace("\r", "\n")


# Bodies


@pytest.mark.parametrize("body", ["Grüße\n", "ÄÖÜäöüß\n", "x" * 2000 + "ü\n"])
def test_a_text_keeps_its_words(body):
    content = (
        "Subject: x\nContent-Type: text/plain; charset=utf-8\n"
        f"Content-Transfer-Encoding: 8bit\n\n{body}"
    ).encode()
    encoded = convert(content, SEVEN_BITS)
    assert encoded.isascii()
    assert with_lf(parsed(encoded).get_content()) == body
    assert longest(encoded) <= 76


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_line_ends_of_a_text_are_canonical(end):
    head = f"Content-Type: text/plain; charset=utf-8{end}{end}"
    quoted = convert(f"{head}Grüße und{end}mehr{end}".encode(), SEVEN_BITS)
    assert b"=0D" not in quoted
    assert parsed(quoted).get_content() == "Grüße und\nmehr\n"
    based = convert(f"{head}ÄÖÜ{end}äöü{end}".encode(), SEVEN_BITS)
    assert parsed(based)["Content-Transfer-Encoding"] == "base64"
    assert parsed(based).get_payload(decode=True) == "ÄÖÜ\r\näöü\r\n".encode()


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1"])
@pytest.mark.parametrize("header", ["Subject: x\n", "Content-Type: text/plain;\n", ""])
def test_a_text_without_a_charset_gets_one(charset, header):
    content = f"{header}\nnur eine Grüße hier\n".encode(charset)
    message = parsed(convert(content, SEVEN_BITS))
    assert message.get_content() == "nur eine Grüße hier\n"
    assert message["MIME-Version"] == "1.0"
    assert message.get_content_charset() == charset


def test_text_that_is_all_body_stays_body():
    encoded = convert("nur Grüße, kein Kopf\n".encode(), SEVEN_BITS)
    assert b"\n\nnur Gr=C3=BC" in encoded
    message = parsed(encoded)
    assert message.get_content() == "nur Grüße, kein Kopf\n"


@pytest.mark.parametrize("size", [999, 1000, 5000, 3 * BLOCK_OCTETS])
@pytest.mark.parametrize("unit", ["x", "x ", "grün, "])
@pytest.mark.parametrize("kind", ["plain", "html"])
def test_a_text_of_long_lines_is_read_as_before(size, unit, kind):
    text = f"first\n{unit * (size // len(unit) + 1)}\nlast\n"
    content = (
        f"MIME-Version: 1.0\nContent-Type: text/{kind}; charset=utf-8\n\n{text}"
    ).encode()
    encoded = convert(content, SHORT_LINES)
    # A comparison that says no more: pytest takes minutes to show such a difference.
    assert (with_lf(parsed(encoded).get_content()) == text) is True
    assert longest(encoded) <= 76


def test_base64_on_one_line_is_wrapped():
    data = bytes(range(256)) * 1000
    mail = EmailMessage()
    mail.set_content(data, "application", "pdf", filename="a.pdf")
    head, _, body = bytes(mail).rpartition(b"\n\n")
    content = head + b"\n\n" + body.replace(b"\n", b"") + b"\n"
    encoded = convert(content, SHORT_LINES)
    assert parsed(encoded).get_content() == data
    assert longest(encoded) == 76


def test_quoted_printable_of_long_lines_is_wrapped():
    content = (
        b"Content-Type: text/plain; charset=utf-8\n"
        b"Content-Transfer-Encoding: quoted-printable\n\n" + b"=C3=A4 =3D " * 200
    )
    encoded = convert(content, SHORT_LINES)
    assert parsed(encoded).get_content().rstrip("\n") == "ä = " * 200
    assert longest(encoded) <= 76


def test_octets_with_nul_arrive_octet_by_octet():
    data = b"\0\r\n\n\r.\r\n\xff" * 9 + b"x"
    content = (
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n--b\n"
        b"Content-Type: application/octet-stream\n\n" + data + b"\n--b--\n"
    )
    encoded = convert(content, Needs(no_nul=True))
    assert b"\0" not in encoded
    text, attached = parsed(encoded).iter_parts()
    assert attached.get_content() == data
    assert text.get_content() == "text"


def test_a_text_with_nul_keeps_it():
    content = b"Content-Type: text/plain; charset=utf-8\n\na\0b\n"
    assert parsed(convert(content, EVERYTHING)).get_content() == "a\0b\n"


SIGNED = (
    b"Content-Type: multipart/signed; boundary=sig;   micalg=pgp-sha256\n\n"
    b"--sig\nContent-Type: text/plain;\n\tcharset=us-ascii\n\n"
    b"signed   \n body\n\n--sig\nContent-Type: application/pgp-signature\n\n"
    b"abcdef\n--sig--\n"
)


def test_only_parts_that_cannot_travel_change():
    content = (
        b"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n"
        b"Content-Transfer-Encoding: 8bit\n\npr\xc3\xa9amble\n--b\n"
        b"Content-Type: application/octet-stream\n\n\xff\x00\xfe\n--b\n"
        + SIGNED
        + b"\n--b\nContent-Type: message/rfc822\n\n"
        b"Subject: inner \xc3\xb6\n\nsome inner text \xc3\x9f\n--b--\n"
    )
    encoded = convert(content, EVERYTHING)
    binary, _, inner = parsed(encoded).iter_parts()
    assert binary.get_content() == b"\xff\x00\xfe"
    assert inner.get_content()["Subject"] == "inner ö"
    assert inner.get_content().get_content() == "some inner text ß"
    assert SIGNED in encoded
    assert parsed(encoded)["Content-Transfer-Encoding"] == "7bit"


@pytest.mark.parametrize("bad", [b"\xc3\xa4", b"\0", b"x" * 2000])
def test_a_signed_part_is_never_touched(bad):
    signed = SIGNED.replace(b"body", b"body" + bad)
    assert convert(signed, EVERYTHING) == signed
    subject = b"Subject: \xc3\xa4\n"
    assert convert(subject + signed, EVERYTHING).endswith(signed)


@pytest.mark.parametrize("line", ["x--b", " --b", "--bb", "--b-", "--b x"])
def test_what_only_looks_like_a_boundary_is_text(line):
    content = (
        "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n"
        f"Content-Type: text/plain; charset=utf-8\n\nä{line}\n{line}\nä\n--b--\n"
    ).encode()
    [part] = parsed(convert(content, SEVEN_BITS)).iter_parts()
    assert with_lf(part.get_content()) == f"ä{line}\n{line}\nä"


def test_parts_of_a_digest_are_messages():
    content = (
        b"MIME-Version: 1.0\nContent-Type: multipart/digest; boundary=d\n\n--d\n\n"
        b"Subject: one\n\ntext \xc3\x9f of one\n--d--\n"
    )
    [part] = parsed(convert(content, SEVEN_BITS)).iter_parts()
    assert part.get_content().get_content() == "text ß of one"


@pytest.mark.parametrize("encoding", ["base64", "BASE64 (wrapped)", "Base64;"])
def test_a_message_in_base64_is_wrapped_and_no_more(encoding):
    inner = b"Subject: inner\n\nbody\n" * 90
    content = (
        b"MIME-Version: 1.0\nContent-Type: message/rfc822\n"
        b"Content-Transfer-Encoding: " + encoding.encode() + b"\n\n"
    )
    encoded = convert(content + base64.b64encode(inner), SHORT_LINES)
    assert encoded.startswith(content)
    assert base64.b64decode(encoded.removeprefix(content)) == inner
    assert longest(encoded) == 76


def test_parts_in_parts_end_somewhere():
    content = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n)
        for n in range(2000)
    )
    encoded = convert(content + b"\n\xff\n", SEVEN_BITS)
    assert encoded.isascii()


# Headers


def test_raw_headers_become_encoded_words():
    content = (
        'From: "Jörg Müller" <j@example.org>,\n Ünal <u@example.org>\n'
        "To: plain <a@example.org>\n\tfolded <b@example.org>\nSubject: Grüße an\n alle"
        "\n\nbody\n"
    ).encode()
    encoded = convert(content, Needs(ascii_headers=True))
    message = parsed(encoded)
    assert str(message["From"]) == "Jörg Müller <j@example.org>, Ünal <u@example.org>"
    assert message["Subject"] == "Grüße an alle"
    assert b"To: plain <a@example.org>\n\tfolded <b@example.org>\n" in encoded
    assert encoded.endswith(b"\n\nbody\n")


@pytest.mark.parametrize("value", ["ä" * 5000, "ä,;<(" * 1000, "ä <a@b.org>, " * 400])
@pytest.mark.parametrize("name", ["To", "Subject", "Content-Disposition"])
def test_endless_raw_headers_take_no_endless_time(name, value):
    started = time.process_time()
    encoded = convert(f"{name}: {value}\n\n".encode(), SEVEN_BITS)
    assert time.process_time() - started < 5  # the email package: minutes
    assert encoded.isascii()
    assert longest(encoded) <= 100


def test_a_header_of_many_lines_takes_no_memory_for_each_of_them():
    content = b"X-Log: x\n" + b" all well\n" * 100_000 + b"\n\xff\n"
    tracemalloc.start()
    try:
        assert b"\n all well\n" in convert(content, SEVEN_BITS)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10 * len(content)


def test_the_domain_in_an_address_header_becomes_ascii_as_in_the_envelope():
    content = "To: Jörg <j@müller.example>, k@bücher.example\nCc: k@bücher.example\n\n"
    encoded = convert(content.encode(), Needs(ascii_headers=True))
    message = parsed(encoded)
    assert [each.addr_spec for each in message["To"].addresses] == [
        "j@xn--mller-kva.example",
        "k@xn--bcher-kva.example",
    ]
    assert b"Cc: k@xn--bcher-kva.example\n" in encoded


def test_a_raw_file_name_is_kept_in_words_that_mime_has_for_it():
    content = (
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n"
        'Content-Disposition: attachment; filename="Übersicht.pdf"\n\nx\n--b--\n'
    ).encode()
    [part] = parsed(convert(content, SEVEN_BITS)).iter_parts()
    assert part.get_filename() == "Übersicht.pdf"


def test_a_long_header_is_folded_before_its_blanks():
    value = " ".join(f"<{n}.id@example.org>" for n in range(200))
    content = f"References: {value}\nSubject: x\n\nbody\n".encode()
    encoded = convert(content, SHORT_LINES)
    assert longest(encoded) <= 78
    unfolded = encoded.replace(b"\n ", b" ")
    assert unfolded == content


def test_a_long_list_of_addresses_may_break_behind_commas():
    addresses = [f"someone{n}@example.org" for n in range(100)]
    content = f"To: {','.join(addresses)}\n\nbody\n".encode()
    encoded = convert(content, SHORT_LINES)
    assert longest(encoded) <= 78
    found = [each.addr_spec for each in parsed(encoded)["To"].addresses]
    assert found == addresses


@pytest.mark.parametrize(
    "header", [b"X-Token: " + b"x" * 3000, b"Subject:" + b" " * 3000]
)
def test_a_header_without_a_place_to_break_it_stays(header):
    content = header + b"\n\nbody\n"
    assert convert(content, SHORT_LINES) == content


# Whatever comes

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
def test_no_header_becomes_another_and_none_comes_in(content):
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


def built(tree, encoding):
    """A message of (kind, what is in it) pairs, written without any encoding."""
    kind, inside = tree
    if kind == "multipart":
        mark = f"b{abs(hash(str(inside)))}".encode()
        parts = b"".join(b"--" + mark + b"\n" + built(each, "8bit") for each in inside)
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
    content = b"MIME-Version: 1.0\n" + built(tree, "8bit")

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
