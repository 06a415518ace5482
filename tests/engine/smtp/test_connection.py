"""Delivery over real connections."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import time
import tracemalloc
from email import message_from_bytes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from servers.catcher import Catcher
from servers.scripted import Drop, Hang, Raw, Scripted
from waiting import wait_until

from collective.maildrophost.engine.config import RelayAddress
from collective.maildrophost.engine.smtp import (
    Connection,
    Security,
    Timeouts,
    connection,
)
from collective.maildrophost.engine.smtp.content import BLOCK_OCTETS, wire_blocks
from collective.maildrophost.engine.smtp.needs import has_long_line

SENDER = "a@example.org"
MAIL = (SENDER, ["b@example.org", "c@example.org"])
LARGE = b"Subject: large\r\n\r\n" + b".all work and no play makes mail\r\n" * 120_000


async def connected(server, **timeouts):
    return await Connection.open(
        RelayAddress("127.0.0.1", server.port),
        Security(),
        timeouts=Timeouts(**{"quit": 0.5, **timeouts}),
    )


@pytest.mark.parametrize("delivery", ["whole", "coalesced", "bytewise"])
@pytest.mark.parametrize("extensions", [(), ("PIPELINING",), ("PIPELINING", "SIZE 9")])
def test_replies_find_their_recipients_however_they_travel(
    exchange, outcomes, delivery, extensions
):
    answers = {"RCPT:b@example.org": "550-5.1.1 no\n550 5.1.1 such"}
    with Scripted(answers, extensions=extensions, delivery=delivery) as server:
        mails = [MAIL] * 3
        if "SIZE 9" in extensions:
            mails = [(*MAIL, b"x\n")] * 3
        done = exchange(server, *mails)
        assert [outcomes(result) for result in done.results] == [["failed", "sent"]] * 3
        assert [each.recipients for each in server.accepted] == [["c@example.org"]] * 3
        assert done.results[0].verdicts[0].reply == "550 5.1.1 no such"
        [talk] = server.conversations
        wait_until(lambda: talk.closed)
        assert talk.verbs[-1] == "QUIT"


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
    assert received.content.isascii()
    assert b"BODY" not in received.content


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
def test_what_arrives_is_what_was_sent_with_every_line_end_crlf(contents):
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


PHASES = ["MAIL", "RCPT:c@example.org", "DATA", "END"]


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("answer", [Hang(), Drop(), Drop(b"25"), Raw(b"hello\r\n")])
@pytest.mark.parametrize("extensions", [(), ("PIPELINING",)])
def test_a_relay_that_breaks_off_defers_and_marks_only_after_the_last_dot(
    exchange, outcomes, phase, answer, extensions
):
    name = phase.partition(":")[0].lower()
    with Scripted({phase: answer}, extensions=extensions) as server:
        done = exchange(server, MAIL, timeouts={name: 0.2})
        [result] = done.results
        assert outcomes(result) == ["deferred", "deferred"]
        assert result.possible_duplicate == (phase == "END")
        assert result.verdicts[0].reply.isprintable()
        assert not done.usable
        assert result.fault is None


@pytest.mark.parametrize("phase", PHASES)
def test_421_closes_and_defers(exchange, outcomes, phase):
    with Scripted({phase: Drop(b"421 4.3.2 going down\r\n")}) as server:
        done = exchange(server, MAIL)
        [result] = done.results
        assert outcomes(result) == ["deferred", "deferred"]
        assert result.verdicts[1].reply == "421 4.3.2 going down"
        assert not result.possible_duplicate
        assert not done.usable


@pytest.mark.parametrize("options", [{}, {"tls": 2}])
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Drop(b"552 5.3.4 too big\r\n"), "failed"),
        (Drop(b"452 4.3.1 full\r\n"), "deferred"),
        (Drop(), "deferred"),
        ("554 5.6.0 spam", "failed"),
        ("250 ok", "deferred"),
    ],
)
def test_what_the_relay_says_during_the_upload_is_heard(
    exchange, outcomes, certificates, options, answer, expected
):
    with Scripted(during=(100_000, answer), certificates=certificates) as server:
        done = exchange(server, (*MAIL, LARGE), ca_file=certificates.ca_file, **options)
        [result] = done.results
        assert not result.possible_duplicate
        assert not done.usable
        if isinstance(answer, Drop) and options:
            # TLS: a reset may swallow the reply; never more than a deferral then.
            assert outcomes(result)[0] in (expected, "deferred")
        else:
            assert outcomes(result) == [expected] * 2
            text = answer.data.decode() if isinstance(answer, Drop) else answer
            assert text.strip() in result.verdicts[0].reply


def test_a_relay_that_stops_reading_is_given_up_on(exchange, outcomes):
    with Scripted(during=(100_000, Hang())) as server:
        mail = (*MAIL, LARGE * 5)
        [result] = exchange(server, mail, timeouts={"content": 0.3}).results
        assert outcomes(result) == ["deferred", "deferred"]
        assert not result.possible_duplicate
        assert "within 0.3 seconds" in result.verdicts[0].reply


@pytest.mark.parametrize("answer", [Hang(), Drop(), "500 no"])
def test_a_bad_quit_takes_nothing_back(exchange, outcomes, answer):
    with Scripted({"QUIT": answer}) as server:
        done = exchange(server, MAIL, timeouts={"quit": 0.1})
        assert outcomes(done.results[0]) == ["sent", "sent"]


@pytest.mark.parametrize("answer", [Hang(), Drop(), Drop(b"421 x\r\n")])
def test_verdicts_stand_when_the_reset_after_them_fails(exchange, outcomes, answer):
    with Scripted({"RCPT": ["550 no", "550 no", "250 ok"], "RSET": answer}) as server:
        done = exchange(server, MAIL, MAIL, timeouts={"rset": 0.2})
        assert outcomes(done.results[0]) == ["failed", "failed"]
        assert outcomes(done.results[1]) == [None, None]
        assert not done.usable


def test_a_hundred_recipients_share_one_transaction(exchange, outcomes):
    recipients = [f"r{n}@example.org" for n in range(100)]
    answers = {"RCPT:r50@example.org": "550 no"}
    with Scripted(answers) as server:
        [result] = exchange(server, (SENDER, recipients)).results
        assert outcomes(result).count("sent") == 99
        assert outcomes(result)[50] == "failed"
        [received] = server.accepted
        assert len(received.recipients) == 99


def test_an_idle_connection_that_the_relay_closes_is_not_usable():
    async def idle(server):
        connection = await connected(server)
        result = await connection.deliver(*MAIL, b"x\n")
        assert connection.usable
        assert connection.served == 1
        server.__exit__()
        for _ in range(500):
            if not connection.usable:
                break
            await asyncio.sleep(0.01)
        assert not connection.usable
        stale = await connection.deliver(*MAIL, b"x\n")
        await connection.quit()
        return result, stale

    with Scripted() as server:
        result, stale = asyncio.run(idle(server))
    assert result.usable
    assert stale.verdicts == (None, None)
    assert not stale.usable


def test_a_connection_that_spoke_unasked_while_idle_is_not_usable():
    async def idle(server):
        connection = await connected(server)
        await connection.deliver(*MAIL, b"x\n")
        for _ in range(500):
            if not connection.usable:
                return True
            await asyncio.sleep(0.01)
        return False

    with Scripted({"END": Raw(b"250 ok\r\n421 idle too long\r\n")}) as server:
        assert asyncio.run(idle(server))


def test_a_cancelled_delivery_closes_the_connection():
    async def cancel(server):
        connection = await connected(server)
        task = asyncio.create_task(connection.deliver(*MAIL, b"x\n"))
        while "DATA" not in server.conversations[0].verbs:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not connection.usable
        await connection.quit()

    with Scripted({"END": Hang()}) as server:
        asyncio.run(cancel(server))


def test_an_error_of_ours_defers_the_message_and_tells_the_log(
    exchange, outcomes, caplog
):
    with Scripted() as server, caplog.at_level(logging.ERROR, "maildrop.smtp"):
        done = exchange(server, (SENDER, [None]))
        assert outcomes(done.results[0]) == ["deferred"]
        assert "AttributeError" in done.results[0].verdicts[0].reply
        assert not done.usable
    assert "unexpected error" in caplog.text
    assert "in deliver" in caplog.text
    assert "'NoneType'" not in caplog.text, "its text could quote the message"


def test_a_large_upload_does_not_stall_the_loop():
    content = b"x" * 76 + b"\n"
    content *= 25 * 1024 * 1024 // len(content)

    async def upload(server):
        connection = await connected(server)
        turns = 0
        uploading = True

        async def count_turns():
            nonlocal turns
            while uploading:
                await asyncio.sleep(0)
                turns += 1

        counting = asyncio.create_task(count_turns())
        result = await connection.deliver(*MAIL, content)
        uploading = False
        await counting
        await connection.quit()
        return result, turns

    with Scripted() as server:
        result, turns = asyncio.run(upload(server))
    assert [verdict.outcome for verdict in result.verdicts] == ["sent", "sent"]
    assert turns >= len(content) // BLOCK_OCTETS, "others wait for a block at most"


def test_a_large_conversion_does_not_stall_the_loop(monkeypatch):
    content = b"Subject: x\n\n" + b"x" * 5 * 1024 * 1024
    turns = []
    convert = connection.convert

    def counted(*arguments):
        before = turns[0]
        converted = convert(*arguments)
        turns.append(turns[0] - before)
        return converted

    async def upload(server):
        relay = await connected(server)
        turns.append(0)
        done = asyncio.Event()

        async def count_turns():
            while not done.is_set():
                await asyncio.sleep(0)
                turns[0] += 1

        counting = asyncio.create_task(count_turns())
        result = await relay.deliver(*MAIL, content)
        done.set()
        await counting
        await relay.quit()
        return result

    monkeypatch.setattr(connection, "convert", counted)
    with Scripted() as server:
        result = asyncio.run(upload(server))
        assert max(map(len, server.accepted[0].content.splitlines())) <= 76
    assert [verdict.outcome for verdict in result.verdicts] == ["sent", "sent"]
    assert turns[1] >= 10, "others work while a message is converted"


def test_large_messages_are_converted_one_at_a_time(monkeypatch):
    """Each takes five times its memory meanwhile."""
    content = b"Subject: x\n\n" + b"x" * 2 * 1024 * 1024
    convert, at_once, most = connection.convert, [], []

    def counted(*arguments):
        at_once.append(None)
        most.append(len(at_once))
        time.sleep(0.05)
        at_once.pop()
        return convert(*arguments)

    async def upload(server):
        relays = [await connected(server) for _ in range(3)]
        await asyncio.gather(*(relay.deliver(*MAIL, content) for relay in relays))
        await asyncio.gather(*(relay.quit() for relay in relays))

    monkeypatch.setattr(connection, "convert", counted)
    with Scripted() as server:
        asyncio.run(upload(server))
        assert len(server.accepted) == 3
    assert most == [1, 1, 1]


def test_a_large_message_is_not_copied():
    content = b"x\n" * (12 * 1024 * 1024)
    tracemalloc.start()
    try:
        for _ in wire_blocks(content):
            pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1024 * 1024


def test_the_next_address_of_a_name_is_tried_when_the_first_is_dead(
    exchange, outcomes, monkeypatch
):
    def two_addresses(host, port, *args, **kwargs):
        kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        return [(*kind, ("127.0.0.2", 0)), (*kind, ("127.0.0.1", 0))]

    with Scripted() as server:
        monkeypatch.setattr(socket, "getaddrinfo", two_addresses)
        done = exchange(server, MAIL, host="two.test")
        assert outcomes(done.results[0]) == ["sent", "sent"]
