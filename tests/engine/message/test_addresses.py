"""Promises about the addresses of an envelope."""

from __future__ import annotations

import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from collective.maildrophost.engine.message import (
    InvalidMessage,
    check_address,
    parse_addresses,
)


@pytest.mark.parametrize(
    "address",
    [
        "a@example.org",
        "a.b+c=d@sub.example.org",
        "o'brien@example.org",
        "postmaster",
        "a@localhost",
        "a@[192.0.2.1]",
        "a@[IPv6:2001:db8::1]",
        '"a,b;c:d@e"@example.org',
        '"a@b"',
        "trailing.dot.@example.org",
        "müller@example.org",
        "a@bücher.example",
        "a@Bücher.example",
        "a@xn--bcher-kva.example",
        "x" * 200 + "@example.org",
        "bounce-john=example.net@lists.example.org",
        "under_score@under_score.example.org",
    ],
)
def test_an_address_is_kept_as_it_is_given(address):
    assert check_address(address) == address
    assert parse_addresses(address) == (address,)


@pytest.mark.parametrize("letter", ["x", "\u00e4"])
def test_an_address_has_at_most_254_octets(letter):
    longest = letter * 120
    longest += "x" * (254 - len(f"{longest}@example.org".encode())) + "@example.org"
    assert check_address(longest) == longest
    assert parse_addresses(longest) == (longest,)
    for read in (check_address, parse_addresses):
        with pytest.raises(InvalidMessage, match="longer than 254 octets"):
            read(f"x{longest}")


@pytest.mark.parametrize(
    "address",
    [
        "",
        " ",
        "@",
        "a@",
        "@example.org",
        "a@b@example.org",
        "a b@example.org",
        "a@exam ple.org",
        "a@example..org",
        "a@.example.org",
        "a@example.org.",
        "a@-example.org",
        "a@example-.org",
        "a@[192.0.2.1",
        "a@exa[mple.org",
        "a,b@example.org",
        "a;b@example.org",
        "a:b@example.org",
        "<a@example.org>",
        "a@example.org>",
        '"a@example.org',
        'a"b@example.org',
        "a\\b@example.org",
        "a@\u00e4..example",
        "a@" + "\u00e4" * 64 + ".example",
        "a@\u2603\u200b.example",
        "a\u200b@example.org",
        "a\u00a0b@example.org",
        "\ud800@example.org",
        "x" * 250 + "@example.org",
        "a@" + "x" * 64 + ".org",
        "a@example.org\n",
        "\na@example.org",
        "a@exam\rple.org",
        "a@example.org\0",
        "a\t@example.org",
        "a\x7f@example.org",
        "a\x85@example.org",
        "a\u2028@example.org",
        '"a b"@example.org',
    ],
)
def test_what_is_no_address_is_refused(address):
    with pytest.raises(InvalidMessage):
        check_address(address)


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("Ann <a@example.org>", ["a@example.org"]),
        ("<a@example.org>", ["a@example.org"]),
        (
            '"Doe, John" <j@example.org>, a@example.org',
            ["j@example.org", "a@example.org"],
        ),
        ('"a \\" <x@y.org>" <j@example.org>', ["j@example.org"]),
        ("a@example.org (Ann (the first, \\) one))", ["a@example.org"]),
        ("(x@y.org) a@example.org", ["a@example.org"]),
        ("(x@y.org)ab@example.org", ["ab@example.org"]),
        ("Ann (<x@y.org>) <a@example.org> (home)", ["a@example.org"]),
        ("=?utf-8?q?J=C3=B6rg?= <j@example.org>", ["j@example.org"]),
        ("Jörg Ä. <j@example.org>", ["j@example.org"]),
        ("[Team] <t@example.org>", ["t@example.org"]),
        ("a@x.org <b@y.org>", ["b@y.org"]),
        ('<"a,b"@example.org>, b', ['"a,b"@example.org', "b"]),
        ('"a>b" <a@example.org>', ["a@example.org"]),
        (" a@example.org ,,\tb@example.org, ", ["a@example.org", "b@example.org"]),
        (
            "a@example.org, A@example.org, a@EXAMPLE.org",
            ["a@example.org", "A@example.org"],
        ),
        ("a@x.org, a@y.org, a", ["a@x.org", "a@y.org", "a"]),
        ("a@bücher.example, a@XN--Bcher-kva.example", ["a@bücher.example"]),
        ("a@[192.0.2.1], b", ["a@[192.0.2.1]", "b"]),
        ('"a@B", "a@b", "a@b"', ['"a@B"', '"a@b"']),
    ],
)
def test_a_list_gives_its_bare_addresses_once(text, addresses):
    assert list(parse_addresses(text)) == addresses


@pytest.mark.parametrize(
    "text",
    [
        "",
        " , ",
        "undisclosed-recipients:;",
        "Friends: a@example.org, b@example.org;",
        "a@example.org; b@example.org",
        "a@example.org; B <b@example.org>",
        "a@example.org b@example.org",
        "<a@example.org> <b@example.org>",
        "<a@example.org> b@example.org",
        "<<a@example.org>>",
        "A\u2028nn <a@example.org>",
        "A\x1bnn <a@example.org>",
        "<a@example.org",
        "a@example.org>",
        '"Ann <a@example.org>',
        "Ann (a@example.org",
        "a@example.org)",
        "<>",
        "<@relay.example:a@example.org>",
        "a@exa(comment)mple.org",
        "John Doe",
        "a@example.org,\n b@example.org",
        "Ann\r\nBcc: x@y.org <a@example.org>",
        "Ann\0 <a@example.org>",
    ],
)
def test_what_is_no_list_of_addresses_is_refused(text):
    with pytest.raises(InvalidMessage):
        parse_addresses(text)


def test_a_refusal_shows_a_line_break_instead_of_printing_it():
    with pytest.raises(InvalidMessage) as error:
        parse_addresses("a\r\nRCPT TO:<x>" + "y" * 1000)
    assert "\r" not in str(error.value)
    assert len(str(error.value)) < 200


@pytest.mark.parametrize(
    "text",
    [
        '"' + "a" * 100_000,
        '"' + "\\\\" * 100_000,
        '<"' + "a" * 100_000,
        "a@x" + ".y" * 100_000,
        "(a)" * 100_000,
    ],
    ids=["quote", "escapes", "path", "domain", "comments"],
)
def test_what_is_no_address_takes_no_memory_for_each_of_its_characters(text):
    tracemalloc.start()
    try:
        with pytest.raises(InvalidMessage):
            parse_addresses(text)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20 * len(text)


TEXT = st.text() | st.text('ab.@<>()"\\,;:[] \t\r\n\0äß', max_size=40)


@given(TEXT)
@example('"' * 3)
@example("a@\u0378.b")
@example("a@xn--a")
def test_any_text_is_taken_or_refused_by_name(text):
    try:
        addresses = parse_addresses(text)
    except InvalidMessage:
        return
    assert addresses
    for address in addresses:
        assert check_address(address) == address
        assert parse_addresses(address) == (address,)
        assert not set(address) & set("\r\n\0\t <>")
        assert len(address.encode()) <= 254


@given(TEXT)
def test_any_address_is_taken_or_refused_by_name(text):
    with suppress(InvalidMessage):
        assert check_address(text) == text
