"""A daemon hears of mail that another machine has queued."""

from __future__ import annotations

import asyncio
import time

import pytest
from servers.catcher import Catcher
from sqlalchemy.engine import make_url
from waiting import wait_until

from collective.maildrophost.engine.queue import (
    Queue,
    QueueError,
    State,
    discard,
    enqueue,
    prepare,
    release,
)

# A session that is still active has not begun to listen.
LISTENERS = (
    "SELECT pid FROM pg_stat_activity "
    "WHERE query = 'LISTEN maildrop' AND state = 'idle' AND datname = "
)


def listeners(postgresql, site):
    database = make_url(site.queue.url).database
    return postgresql.execute(f"{LISTENERS}'{database}'")


def queue_elsewhere(site, message):
    """As another machine does it: nobody rings a doorbell of this one."""
    with site.queue.write() as tx:
        (id,) = enqueue(tx, [message], time.time())
    return id


def test_mail_of_another_machine_wakes_a_daemon_at_once(
    machines, make_mail, postgresql
):
    here, elsewhere = machines()
    with Catcher() as relay:
        here.configure(SMTP_PORT=relay.port)
        with here.daemon():
            wait_until(lambda: listeners(postgresql, here), what="that it listens")
            for number in range(3):
                queue_elsewhere(elsewhere, make_mail(subject=str(number)))
                relay.wait_for(number + 1)


def test_the_release_of_a_batch_wakes_a_daemon_and_nothing_before_it(
    machines, make_mail, postgresql
):
    here, elsewhere = machines()
    with Catcher() as relay:
        here.configure(SMTP_PORT=relay.port)
        with here.daemon():
            wait_until(lambda: listeners(postgresql, here), what="that it listens")
            with elsewhere.queue.write() as tx:
                prepare(tx, "kept", [make_mail(subject="kept")], time.time())
                prepare(tx, "gone", [make_mail(subject="gone")], time.time())
            with elsewhere.queue.write() as tx:
                discard(tx, "gone")
                release(tx, "kept")
            (caught,) = relay.wait_for(1)
    assert b"Subject: kept" in caught.content


def test_a_lost_listener_listens_again(machines, make_mail, postgresql):
    here, elsewhere = machines()
    with Catcher() as relay:
        here.configure(SMTP_PORT=relay.port)
        with here.daemon():
            ((first,),) = wait_until(
                lambda: listeners(postgresql, here), what="that it listens"
            )
            postgresql.execute(f"SELECT pg_terminate_backend({first})")
            # Queued while nobody listens, perhaps; found all the same.
            queue_elsewhere(elsewhere, make_mail())
            relay.wait_for(1)

            def another():
                return [pid for (pid,) in listeners(postgresql, here) if pid != first]

            wait_until(another, what="that it listens again")
            id = queue_elsewhere(elsewhere, make_mail(subject="second"))
            relay.wait_for(2)
            here.wait_for(id, State.SENT)
            assert len(here.log_lines("found by looking")) <= 1


def test_the_reason_why_a_daemon_does_not_listen_shows_no_password():
    url = "postgresql+psycopg://me@127.0.0.1:1/mail?password=sesame7&sslmode=disable"

    async def listen():
        async for _ in Queue(url).rings():
            pytest.fail("there is no server")

    with pytest.raises(QueueError, match="no connection to the server") as caught:
        asyncio.run(listen())
    assert "password=***" in str(caught.value)
    assert "sesame7" not in str(caught.value)
