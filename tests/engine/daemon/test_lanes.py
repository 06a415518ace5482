"""Lanes, pace and batches hold over all connections of a daemon."""

from __future__ import annotations

import time

import pytest
from servers.scripted import Scripted
from waiting import wait_until

from collective.maildrophost.engine.delivery.lanes import ROUNDS_UNTIL_OTHERS_GO_FIRST
from collective.maildrophost.engine.message import Lane
from collective.maildrophost.engine.queue import enqueue

CONCURRENCY = 4
NEWSLETTER = 30_000


@pytest.fixture
def queue_many(site, make_mail):
    """Puts so many messages of a lane into the queue, without a ring."""

    def queue(lane: Lane, count: int) -> None:
        messages = [make_mail(subject=lane.label, lane=lane)] * 5000
        for start in range(0, count, len(messages)):
            with site.queue.write() as tx:
                enqueue(tx, messages[: count - start], time.time())

    return queue


def lanes(server: Scripted) -> list[str]:
    """The lanes of the accepted messages, in the order of their arrival."""
    return [
        each.content.partition(b"Subject: ")[2].split()[0].decode()
        for each in server.accepted
    ]


def test_a_password_mail_overtakes_a_newsletter(site, queue_many, make_mail):
    queue_many(Lane.BULK, NEWSLETTER)
    with Scripted() as server:
        site.configure(SMTP_PORT=server.port, MAILDROP_CONCURRENCY=CONCURRENCY)
        with site.daemon():
            server.wait_for(10 * CONCURRENCY)
            site.send(make_mail(subject="interactive", lane=Lane.INTERACTIVE))
            before = len(server.accepted)
            wait_until(lambda: "interactive" in lanes(server), what="its arrival")
            arrived = lanes(server)
    # What was on its way and what was claimed when the mail was queued; not more.
    overtaken = arrived.index("interactive") - before
    assert overtaken <= 40 * CONCURRENCY, f"{overtaken} of the newsletter went first"


@pytest.mark.parametrize("concurrency", [1, CONCURRENCY])
def test_no_lane_starves_behind_password_mails_that_never_end(
    site, queue_many, concurrency
):
    queue_many(Lane.INTERACTIVE, 300)
    queue_many(Lane.NORMAL, 3)
    queue_many(Lane.BULK, 3)
    # In one round each connection gets a message, at most.
    until_their_third_turn = 3 * ROUNDS_UNTIL_OTHERS_GO_FIRST * concurrency
    with Scripted() as server:
        site.configure(SMTP_PORT=server.port, MAILDROP_CONCURRENCY=concurrency)
        assert site.once() == 0
    arrived = lanes(server)
    last_of_the_others = max(
        place for place, lane in enumerate(arrived) if lane != "interactive"
    )
    # They arrive later than they were claimed, and others meanwhile.
    assert last_of_the_others < 2 * until_their_third_turn


@pytest.mark.parametrize(
    "options", [{"WAIT_INTERVAL": 0.3}, {"MAILDROP_RATE": 200}], ids=str
)
def test_the_pace_is_kept_over_all_connections_without_a_burst(
    site, make_mail, options
):
    site.send(*[make_mail() for _ in range(5)])
    with Scripted() as server:
        site.configure(
            SMTP_PORT=server.port, MAILDROP_CONCURRENCY=CONCURRENCY, **options
        )
        assert site.once() == 0
    times = [each.time for each in server.accepted]
    assert len(times) == 5
    # Any may be heard of late, but none before its turn.
    began = site.logged(" started, pid ")
    assert all(time >= began + turn * 0.3 for turn, time in enumerate(times))


def test_no_connection_takes_more_than_its_batch(site, make_mail):
    site.send(*[make_mail() for _ in range(13)])
    with Scripted() as server:
        site.configure(
            SMTP_PORT=server.port, MAILDROP_CONCURRENCY=CONCURRENCY, MAILDROP_BATCH=3
        )
        assert site.once() == 0
    taken = [len(talk.received) for talk in server.conversations]
    assert sum(taken) == 13
    assert max(taken) <= 3
