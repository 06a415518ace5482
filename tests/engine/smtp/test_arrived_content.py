"""The content that arrives is the one that was sent, in a form that the relay takes."""

from __future__ import annotations

import asyncio
import re
from email import message_from_bytes

import pytest
from engine.smtp.connections import LARGE, MAIL, SENDER, connected
from hypothesis import given, settings
from hypothesis import strategies as st
from servers.catcher import Catcher
from servers.scripted import Scripted

from collective.maildrophost.engine.smtp.content import BLOCK_OCTETS
from collective.maildrophost.engine.smtp.needs import has_long_line


@pytest.mark.parametrize("options", [{}, {"tls": 2}, {"tls": 3}])
@pytest.mark.parametrize("content", [b"", b"x", b".\n..\r\n\r.", LARGE])
def test_a_real_server_gets_the_content_line_by_line(exchange, options, content):
    mode = {2: "required", 3: "implicit"}.get(options.get("tls"), "")
    with Catcher(tls=mode) as catcher:
        exchange(catcher, (*MAIL, content), ca_file=catcher.ca_file, **options)
        [caught] = catcher.wait_for(1)
    lines = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").removesuffix(b"\n")
    expected = lines.replace(b"\n", b"\r\n") + b"\r\n" if content else b""
    assert caught.content == expected
    assert (caught.sender, list(caught.recipients)) == (SENDER, MAIL[1])


def test_names_outside_ascii_reach_a_server_that_takes_them(exchange, outcomes):
    with Catcher() as catcher:
        done = exchange(catcher, ("ä@müller.example", ["ö@müller.example"]))
        assert outcomes(done.results[0]) == ["sent"]
        [caught] = catcher.wait_for(1)
        assert caught.recipients == ("ö@xn--mller-kva.example",)


def test_eight_bits_are_re_encoded_where_the_relay_takes_seven(exchange, outcomes):
    content = "Subject: Grüße\nContent-Type: text/plain; charset=utf-8\n\nHällo\n"
    with Scripted(extensions=()) as server:
        done = exchange(server, (*MAIL, content.encode()))
        assert outcomes(done.results[0]) == ["sent", "sent"]
        [received] = server.wait_for(1)
        commands = server.conversations[0].commands
    assert not any("BODY=" in each for each in commands)
    assert received.content.isascii()
    message = message_from_bytes(received.content)
    assert message.get_payload(decode=True) == "Hällo\r\n".encode()


def test_eight_bits_stay_where_the_relay_takes_them(exchange):
    content = "Subject: x\r\n\r\nHällo\r\n".encode()
    with Scripted() as server:
        exchange(server, (*MAIL, content))
        [received] = server.wait_for(1)
        assert received.content == content
        assert any("BODY=8BITMIME" in each for each in server.conversations[0].commands)


def test_long_lines_and_nul_are_re_encoded_whatever_the_relay_offers(exchange):
    content = b"Subject: x\n\nfirst\n" + b"word " * 400 + b"\nlast\n"
    with Scripted() as server:
        exchange(server, (*MAIL, content), (*MAIL, b"Subject: y\n\na\0b\n"))
        [long, nul] = (each.content for each in server.wait_for(2))
    assert max(map(len, long.splitlines())) <= 76
    assert message_from_bytes(long).get_payload(decode=True) == (
        content.partition(b"\n\n")[2].replace(b"\n", b"\r\n")
    )
    assert b"\0" not in nul
    assert message_from_bytes(nul).get_payload(decode=True) == b"a\0b\n"


def test_raw_headers_are_encoded_unless_an_address_needs_smtputf8(exchange):
    content = "Subject: Grüße\r\n\r\nHällo\r\n".encode()
    with Scripted() as server:
        exchange(server, (*MAIL, content), (SENDER, ["ü@example.org"], content))
        [plain, utf8] = server.wait_for(2)
        mails = [c for c in server.conversations[0].commands if c.startswith("MAIL")]
    assert plain.content == (
        b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\nH\xc3\xa4llo\r\n"
    )
    assert utf8.content == content
    assert [" SMTPUTF8" in mail for mail in mails] == [False, True]


@pytest.mark.parametrize("bad", ["Hällo", "x" * 2000])
def test_a_signed_part_goes_as_it_is_or_not_at_all(exchange, outcomes, bad):
    content = (
        "Content-Type: multipart/signed; boundary=s\r\n\r\n"
        f"--s\r\n\r\n{bad}\r\n--s\r\n\r\nsignature\r\n--s--\r\n"
    ).encode()
    with Scripted() as server:
        exchange(server, (*MAIL, content))
        assert server.wait_for(1)[0].content == content
    with Scripted(extensions=()) as server:
        [result] = exchange(server, (*MAIL, content)).results
        arrived = [each.content for each in server.accepted]
    if content.isascii():
        assert arrived == [content]
    else:
        assert arrived == []
        assert outcomes(result) == ["failed", "failed"]
        assert result.verdicts[0].reply.startswith("5.6.3 a signed part")


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.lists(
            st.sampled_from([b"\r", b"\n", b"\r\n", b".", b"..", b"a", b"x" * 990])
            | st.integers(BLOCK_OCTETS - 3, BLOCK_OCTETS + 3).map(
                lambda size: (b"y" * 900 + b"\n") * (size // 901) + b"y" * (size % 901)
            ),
            max_size=8,
        ).map(lambda pieces: b"\n" + b"".join(pieces)),
        min_size=1,
        max_size=6,
    )
)
def test_what_arrives_is_what_was_sent_with_crlf_at_every_line_end(contents):
    contents = [each for each in contents if not has_long_line(each)]
    with Scripted() as server:
        asyncio.run(send_all(server, contents))
        arrived = server.wait_for(len(contents))
        mails = [c for c in server.conversations[0].commands if c.startswith("MAIL")]
    for content, received, mail in zip(contents, arrived, mails, strict=True):
        lines = re.split(rb"\r\n|\r|\n", content)
        expected = b"\r\n".join(lines if lines[-1] == b"" else [*lines, b""])
        assert received.content == expected
        assert f" SIZE={len(expected)}" in mail


async def send_all(server, contents):
    connection = await connected(server)
    for content in contents:
        result = await connection.deliver(*MAIL, content)
        assert [verdict.outcome for verdict in result.verdicts] == ["sent", "sent"]
    await connection.quit()
