"""Delivery over real connections."""

from __future__ import annotations

import asyncio
import logging
import socket

import pytest
from engine.smtp.connections import LARGE, MAIL, SENDER, connected
from servers.scripted import Drop, Hang, Raw, Scripted
from waiting import PATIENCE_SECONDS, until, wait_until

from collective.maildrophost.engine.smtp import Phase, RelayFault
from collective.maildrophost.engine.smtp.channel import Channel


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


PHASES = ["MAIL", "RCPT:c@example.org", "DATA", "END"]


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("answer", [Hang(), Drop(), Drop(b"25"), Raw(b"hello\r\n")])
@pytest.mark.parametrize("extensions", [(), ("PIPELINING",)])
def test_mail_of_a_broken_conversation_is_deferred_and_marked_only_after_the_last_dot(
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


@pytest.mark.parametrize("tls", [0, 2, 3])
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
    exchange, outcomes, certificates, tls, answer, expected
):
    relay = {"certificates": certificates, "implicit_tls": tls == 3}
    with Scripted(during=(100_000, answer), **relay) as server:
        mail = (*MAIL, LARGE)
        done = exchange(server, mail, tls=tls, ca_file=certificates.ca_file)
        [result] = done.results
        assert not result.possible_duplicate
        assert not done.usable
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
        await until(lambda: not connection.usable, "the loss of the connection")
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
        await until(lambda: not connection.usable, "a word of the relay's")

    with Scripted({"END": Raw(b"250 ok\r\n421 idle too long\r\n")}) as server:
        asyncio.run(idle(server))


def test_a_cancelled_delivery_closes_the_connection():
    async def cancel(server):
        connection = await connected(server)
        task = asyncio.create_task(connection.deliver(*MAIL, b"x\n"))
        await until(lambda: "DATA" in server.conversations[0].verbs, "the DATA")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not connection.usable
        await connection.quit()

    with Scripted({"END": Hang()}) as server:
        asyncio.run(asyncio.wait_for(cancel(server), PATIENCE_SECONDS))


async def closed_by_us(server):
    await until(lambda: server.conversations[0].closed, "the end of the connection")


def test_a_connection_that_cannot_be_opened_is_closed():
    """A relay counts connections, and it would last as long as the daemon."""

    async def fail(server):
        with pytest.raises(RelayFault):
            await connected(server)
        await closed_by_us(server)

    with Scripted({"EHLO": "450 4.7.1 not now"}) as server:
        asyncio.run(fail(server))


def test_a_cancelled_opening_is_no_fault_of_the_relay():
    async def cancel(server):
        task = asyncio.create_task(connected(server))
        await until(
            lambda: server.conversations and server.conversations[0].verbs, "the EHLO"
        )
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await closed_by_us(server)

    with Scripted({"EHLO": Raw(b"250-wait\r\n")}) as server:
        asyncio.run(asyncio.wait_for(cancel(server), PATIENCE_SECONDS))


def test_an_unusable_connection_is_closed_without_a_word():
    async def leave(server):
        connection = await connected(server)
        await connection.deliver(*MAIL, b"x\n")
        await until(lambda: not connection.usable, "a word too many")
        await connection.quit()
        await closed_by_us(server)
        assert "QUIT" not in server.conversations[0].verbs

    with Scripted({"END": Raw(b"250 ok\r\n250 and more\r\n")}) as server:
        asyncio.run(asyncio.wait_for(leave(server), PATIENCE_SECONDS))


def test_an_error_of_ours_defers_the_message_and_tells_the_log(
    exchange, outcomes, caplog
):
    with Scripted() as server, caplog.at_level(logging.ERROR, "maildrop.smtp"):
        done = exchange(server, (SENDER, [None]))
        assert outcomes(done.results[0]) == ["deferred"]
        assert "AttributeError" in done.results[0].verdicts[0].reply
        assert not done.results[0].possible_duplicate, "nothing of it had left"
        assert not done.usable
    assert "unexpected error" in caplog.text
    assert "in deliver" in caplog.text
    assert "'NoneType'" not in caplog.text, "its text could quote the message"


def test_what_an_error_of_ours_has_cut_off_may_have_arrived(
    exchange, outcomes, monkeypatch
):
    expect = Channel.expect

    async def break_down_at_the_end(self, step):
        reply = await expect(self, step)
        if step.phase is Phase.END:
            raise MemoryError
        return reply

    monkeypatch.setattr(Channel, "expect", break_down_at_the_end)
    with Scripted() as server:
        [result] = exchange(server, MAIL).results
        assert len(server.accepted) == 1
    assert outcomes(result) == ["deferred", "deferred"]
    assert result.possible_duplicate


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
