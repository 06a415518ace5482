"""Header fields that a relay would not take are written anew and mean the same."""

from __future__ import annotations

import time
import tracemalloc
from email import message_from_bytes
from email.header import decode_header

import pytest
from engine.smtp.conversions import SEVEN_BITS, SHORT_LINES, longest, parsed

from collective.maildrophost.engine.smtp import headerfields
from collective.maildrophost.engine.smtp.conversion import convert
from collective.maildrophost.engine.smtp.needs import Needs


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


UNCLOSED = pytest.mark.parametrize(
    "value",
    ['ä "' + '\\"' * 100_000, "ä (" + "\\(" * 100_000],
    ids=["quote", "comment"],
)


@UNCLOSED
def test_a_quote_or_comment_that_is_never_closed_is_read_once(value):
    started = time.process_time()
    encoded = convert(f"To: {value}\n\n".encode(), SEVEN_BITS)
    assert time.process_time() - started < 30  # anew from each quote: minutes
    assert encoded.isascii()


def test_a_comment_within_a_comment_is_not_torn_at_its_comma():
    content = "To: ü (a, (b) c) <b@example.org>, d@example.org\n\n".encode()
    encoded = convert(content, Needs(ascii_headers=True))
    assert b"(a, (b) c) <b@example.org>,\n d@example.org\n" in encoded


@pytest.mark.parametrize(
    "address",
    [
        "root@example.org (Jörg Müller)",
        "(Jörg) root@example.org",
        '"Doe, John" <root@example.org> (Büro)',
        "Jörg (Büro) <root@example.org>",
        'root@example.org ("Jörg" \\) and so on)',
        "root@example.org (Büro (a, b) ö)",
        'Ä "B (ö" (ü) <root@example.org>',
        f"root@example.org ({'Jörg ' * 99})",
    ],
)
def test_a_raw_comment_remains_a_comment(address):
    """As old programs write a name: "root@example.org (Jörg Müller)"."""
    content = f"From: {address}, b@example.org\n\nbody\n".encode()
    encoded = convert(content, Needs(ascii_headers=True))
    assert encoded.isascii()
    assert longest(encoded) <= 100
    (value,) = message_from_bytes(encoded).get_all("From")
    found = [each.addr_spec for each in parsed(encoded)["From"].addresses]
    assert found == ["root@example.org", "b@example.org"]
    assert not parsed(encoded)["From"].defects
    words = "".join(text for text, _ in pairs(value))
    assert words.count("(") == address.count("(")
    assert set("öüÄ") & set(address) <= set(words)


@pytest.mark.parametrize(
    "value",
    [
        "Gruppe ö: a@x.org, Ünal <b@x.org>, c@x.org;",
        "Gruppe ö: a@x.org, (ö) b@x.org, c@x.org (ü);",
        f'"Ä; B" <a@x.org>, {"ö" * 30} <b@x.org>, (x) c@x.org',
        f"All: {'Ö' * 60} <a@x.org>, {'Ö' * 60} <b@x.org>, {'Ö' * 60} <c@x.org>;",
    ],
)
def test_a_raw_list_has_all_its_addresses(value):
    encoded = convert(f"To: {value}\n\n".encode(), Needs(ascii_headers=True))
    assert encoded.isascii()
    to = parsed(encoded)["To"]
    assert [each.addr_spec for each in to.addresses] == [
        "a@x.org",
        "b@x.org",
        "c@x.org",
    ]
    assert not to.defects
    assert bool(to.groups[0].display_name) is value.endswith(";")


def pairs(value):
    """What is in a header, decoded."""
    return [
        (text.decode(charset or "ascii") if isinstance(text, bytes) else text, charset)
        for text, charset in decode_header(value)
    ]


@pytest.mark.parametrize("value", ["ä" * 5000, "ä,;<(" * 1000, "ä <a@b.org>, " * 400])
@pytest.mark.parametrize("name", ["To", "Subject", "Content-Disposition"])
def test_very_long_raw_headers_are_encoded_in_seconds(name, value):
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


@pytest.mark.parametrize("item", ['"ä', "(ä", "<ä", "ä", "(\\\\ä)"])
def test_a_list_of_addresses_takes_no_memory_for_each_of_its_characters(item):
    content = f"To: {item * 10_000}\n\n".encode()
    tracemalloc.start()
    try:
        assert convert(content, SEVEN_BITS).isascii()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 60 * len(content)


def test_the_domain_in_an_address_header_becomes_ascii_as_in_the_envelope():
    content = "To: Jörg <j@müller.example>, k@bücher.example\nCc: k@bücher.example\n\n"
    encoded = convert(content.encode(), Needs(ascii_headers=True))
    message = parsed(encoded)
    assert [each.addr_spec for each in message["To"].addresses] == [
        "j@xn--mller-kva.example",
        "k@xn--bcher-kva.example",
    ]
    assert b"Cc: k@xn--bcher-kva.example\n" in encoded


def test_a_raw_file_name_is_written_as_mime_writes_it():
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


@pytest.mark.parametrize(
    "header",
    [
        f'To: a@example.org,"{"b" * 500}"@{"c" * 475}.example.org',
        f"References: <1@example.org>\n <{'2' * 500}@example.org> <{'3' * 500}@a.org>",
        f"References:<{'1' * 500}@example.org> <{'2' * 500}@example.org>",
    ],
    ids=["comma", "blank in a later line", "no blank behind the name"],
)
def test_a_long_header_may_break_at_the_first_place_in_its_text(header):
    encoded = convert(f"{header}\n\n".encode(), SHORT_LINES)
    assert longest(encoded) <= 998


def test_a_long_header_does_not_break_behind_its_name():
    name, text = "X-" + "n" * 80, "x" * 500
    encoded = convert(f"{name} : {text} {text}\n\n".encode(), SHORT_LINES)
    assert encoded.startswith(f"{name} :".encode())
    assert longest(encoded) <= 998


def test_a_long_list_of_addresses_may_break_behind_commas():
    addresses = [f"someone{n}@example.org" for n in range(100)]
    content = f"To: {','.join(addresses)}\n\nbody\n".encode()
    encoded = convert(content, SHORT_LINES)
    assert longest(encoded) <= 78
    found = [each.addr_spec for each in parsed(encoded)["To"].addresses]
    assert found == addresses


@pytest.mark.parametrize(
    "header",
    [
        b"X-Token: " + b"x" * 3000,
        b"Subject:" + b" " * 3000,
        b"Subject: " + b"a," * 600,
    ],
)
def test_a_header_that_cannot_be_folded_stays_as_it_is(header):
    content = header + b"\n\nbody\n"
    assert convert(content, SHORT_LINES) == content


def test_beside_a_line_that_is_too_long_others_stay_as_they_are():
    addresses = ",".join(f"someone{n}@example.org" for n in range(20))
    words = "some words " * 20
    content = f"To: {addresses}\nSubject: {words}\nX: {'x' * 3000}\n\nbody\n".encode()
    assert convert(content, SHORT_LINES) == content


def test_a_nul_in_the_headers_of_a_part_is_left_out():
    content = (
        b"Content-Type: multipart/mixed; boundary=b\n\n"
        b"--b\nX-Part: a\0b\n\nbody\n--b--\n"
    )
    assert b"--b\nX-Part: ab\n\nbody\n" in convert(content, Needs(no_nul=True))


def test_a_header_that_the_email_package_stumbles_over_is_encoded(monkeypatch):
    monkeypatch.setattr(headerfields, "policy", None)
    encoded = convert("Subject: stumbled über\n\n".encode(), SEVEN_BITS)
    assert parsed(encoded)["Subject"] == "stumbled über"


@pytest.mark.parametrize(
    ("value", "breaks_out"),
    [("a\n b", False), ("a\nb", True), ("a\rb", True), ("a\n \n b", True)],
)
def test_a_value_never_ends_its_header(value, breaks_out):
    assert headerfields._breaks_out(value) is breaks_out
