"""Messages changed so that they can travel."""

from __future__ import annotations

import base64
from email.message import EmailMessage

import pytest
from engine.smtp.conversions import (
    EVERYTHING,
    SEVEN_BITS,
    SHORT_LINES,
    longest,
    parsed,
    with_lf,
)

from collective.maildrophost.engine.smtp.content import BLOCK_OCTETS
from collective.maildrophost.engine.smtp.conversion import convert
from collective.maildrophost.engine.smtp.needs import Needs


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
    head = f"To: b@x.org\n{header}X-A: a\n"
    content = f"{head}\nnur eine Grüße hier: =41\n".encode(charset)
    message = parsed(convert(content, SEVEN_BITS))
    assert message.get_content() == "nur eine Grüße hier: =41\n"
    assert (message.get_all("To"), message.get_all("X-A")) == (["b@x.org"], ["a"])
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


def test_octets_with_nul_arrive_unchanged():
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


def test_a_file_arrives_unchanged_though_it_reads_like_a_text():
    data = b"a mostly plain file\r\nwith lines\nof every kind\r \xff\n" * 9
    label = b"Content-Type: application/x-log\n"
    encoded = convert(b"MIME-Version: 1.0\n" + label + b"\n" + data, SEVEN_BITS)
    assert label in encoded
    assert parsed(encoded).get_content() == data


def test_a_text_in_ascii_gets_no_charset():
    label = b"Content-Type: text/plain\n"
    assert label in convert(label + b"\n" + b"x" * 2000, SHORT_LINES)


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
        b"Content-Transfer-Encoding: 8bit\n\npr\xc3\xa9am\0ble\n--b\n"
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
    assert b"\0" not in encoded
    assert parsed(encoded)["Content-Transfer-Encoding"] == "7bit"


@pytest.mark.parametrize("name", ["seven_bits", "no_nul", "shorter_lines"])
def test_only_the_part_with_the_flaw_that_matters_changes(name):
    bad = {"seven_bits": "grün", "no_nul": "a\0b", "shorter_lines": "x" * 2000}
    text = "--b\nContent-Type: text/plain; charset=utf-8\n\n{}\n".format
    parts = "".join(text(bad[each]) for each in bad if each != name)
    head = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"
    content = f"{head}{parts}{text(bad[name])}--b--\n".encode()
    encoded = convert(content, Needs(**{name: True}))
    assert encoded != content
    assert encoded.startswith((head + parts).encode())


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_stands_around_the_parts_keeps_its_lines(end):
    lines = ["MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=b", ""]
    parts = ["--b", "", "text", "--b--"]
    given = [*lines, "gr\0ü", "", "x" * 1500, "last", *parts, "y" * 1000, ""]
    expected = [*lines, "gr??", "", "x" * 900 + "\n" + "x" * 600, "last", *parts]
    expected += ["y" * 900 + "\n" + "y" * 100, ""]
    encoded = convert(end.join(given).encode(), EVERYTHING)
    assert encoded == end.join(expected).encode()


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


def test_a_part_that_names_no_type_is_a_text():
    text = "Subject: Grüße\n\nIt is no message.\n"
    content = f"Content-Type: multipart/mixed; boundary=b\n\n--b\n\n{text}\n--b--\n"
    [part] = parsed(convert(content.encode(), SEVEN_BITS)).iter_parts()
    assert part.get_content() == text


@pytest.mark.parametrize("encoding", ["base64", "BASE64 (wrapped)", "Base64;"])
def test_a_message_in_base64_is_wrapped_and_nothing_else(encoding):
    inner = b"Subject: inner\n\nbody\n" * 90
    content = (
        b"MIME-Version: 1.0\nContent-Type: message/rfc822\n"
        b"Content-Transfer-Encoding: " + encoding.encode() + b"\n\n"
    )
    encoded = convert(content + base64.b64encode(inner), SHORT_LINES)
    assert encoded.startswith(content)
    assert base64.b64decode(encoded.removeprefix(content)) == inner
    assert longest(encoded) == 76


def test_a_message_in_quoted_printable_is_not_encoded_twice():
    inner = b"Subject: inner\n\n" + b"a = b, " * 200 + b"\n"
    head = b"MIME-Version: 1.0\nContent-Type: message/rfc822\n"
    label = b"Content-Transfer-Encoding: quoted-printable\n\n"
    encoded = convert(head + label + inner.replace(b"=", b"=3D"), SHORT_LINES)
    kept, _, body = encoded.partition(b"Content-Transfer-Encoding: base64\n\n")
    assert kept == head
    assert base64.b64decode(body) == inner


def test_raw_octets_in_the_header_of_a_part_stay_where_they_can_travel():
    described = "Content-Description: grün\n"
    content = (
        "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n"
        f"{described}\n{'x' * 2000}\n--b--\n"
    ).encode()
    encoded = convert(content, Needs(ascii_headers=True, shorter_lines=True))
    assert described.encode() in encoded


@pytest.mark.parametrize(
    "part",
    ["multipart/mixed; boundary=b{0}\n\n--b{0}\n", "message/rfc822\n\n"],
)
def test_parts_nested_thousands_deep_are_converted(part):
    parts = (f"Content-Type: {part.format(number)}" for number in range(2000))
    encoded = convert("".join(parts).encode() + b"\n\xff\n", SEVEN_BITS)
    assert encoded.isascii()


@pytest.mark.parametrize(
    "parameter",
    [
        "name*=utf-8''a; name*0=b",
        "name*0*=utf-8''a; name*=b",
        'name*="a; b"; name*0=c',
        "charset*=a\0b''x",
        pytest.param(f"name*{'9' * 5000}=a", id="name*9..."),
    ],
)
def test_an_unreadable_parameter_keeps_no_other_from_being_read(parameter):
    content = (
        f"MIME-Version: 1.0\nContent-Type: multipart/mixed; {parameter}; boundary=b\n\n"
        f"--b\nContent-Type: text/plain; {parameter}; charset=iso-8859-2\n\nĽudia\n"
        "--b\nContent-Type: text/plain\n\nstays\n--b--\n"
    ).encode("iso-8859-2")
    encoded = convert(content, SEVEN_BITS)
    assert encoded.isascii()
    assert b"; charset=iso-8859-2\n" in encoded
    assert encoded.endswith(b"--b\nContent-Type: text/plain\n\nstays\n--b--\n")
    assert b"\n=A5udia\n--b\n" in encoded


@pytest.mark.parametrize(
    "parameters",
    [f'a="{";" * 1_000_000}"', "a*=utf-8''b; a*0=c; " + "*" * 1_000_000],
    ids=["semicolons", "stars"],
)
def test_no_parameter_is_looked_through_for_each_of_its_characters(parameters):
    value = f"multipart/mixed; boundary=b; {parameters}"
    content = f"Content-Type: {value}\n\n--b\n\nmany grünen\n--b--\n".encode()
    encoded = convert(content, SEVEN_BITS)  # in that way: an hour
    assert encoded.isascii()
    assert encoded.startswith(f"Content-Type: {value}\n".encode())
    assert encoded.endswith(b"\nmany gr=C3=BCnen\n--b--\n")
