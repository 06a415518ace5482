"""A delivery that is cut short: what the relay may have, and what it cannot have."""

from __future__ import annotations

import asyncio

import pytest
from engine.smtp.connections import LARGE, MAIL, connected
from engine.smtp.driving import drive, session
from engine.smtp.transactions import CONTENT, TWO, lines, words
from servers.scripted import Hang, Scripted
from waiting import wait_until

from collective.maildrophost.engine.smtp.steps import CutShort
from collective.maildrophost.engine.smtp.transaction import deliver


async def cut_short(server, there, content):
    connection = await connected(server)
    delivering = asyncio.ensure_future(connection.deliver(*MAIL, content))
    await asyncio.to_thread(wait_until, lambda: there(server), what="the place")
    connection.cut_short()
    result = await delivering
    assert not connection.usable
    return result


def content_begins(server):
    return "DATA" in server.commands


@pytest.mark.parametrize("extensions", [(), ("PIPELINING",)])
@pytest.mark.parametrize("phase", ["MAIL", "RCPT", "DATA"])
def test_what_waits_for_a_reply_before_its_content_was_not_tried(
    run, extensions, phase
):
    with Scripted({phase: Hang()}, extensions=extensions) as server:

        def there(server):
            return any(each.startswith(phase) for each in server.commands)

        result = run(cut_short(server, there, CONTENT))
    assert words(result) == [None, None]
    assert not result.possible_duplicate
    assert result.fault is None


def test_content_that_has_not_all_left_was_not_tried(run):
    with Scripted(during=(1000, Hang())) as server:
        result = run(cut_short(server, content_begins, LARGE))
    assert words(result) == [None, None]
    assert not result.possible_duplicate


def test_content_that_has_left_with_its_last_dot_may_have_arrived(run):
    with Scripted({"END": Hang()}) as server:
        result = run(cut_short(server, lambda server: server.received, CONTENT))
    assert words(result) == ["deferred", "deferred"]
    assert result.possible_duplicate


def test_a_recipient_that_was_refused_before_stays_refused():
    talk = session()
    said = lines("250", "550 5.1.1 no", "250")
    mail = deliver(talk, "a@example.org", TWO, CONTENT)
    done = drive(mail, talk.replies, said, dropped=CutShort)
    assert words(done.result) == ["failed", None]
    assert not done.result.usable


def test_half_a_reply_that_nobody_asked_for_is_no_fault_then():
    talk = session(served=0)
    talk.replies.feed(b"250-")
    mail = deliver(talk, "a@example.org", TWO, CONTENT)
    done = drive(mail, talk.replies, [], dropped=CutShort)
    assert words(done.result) == [None, None]
    assert done.result.fault is None
