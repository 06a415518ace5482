"""Whoever listens hears of new mail, and of nothing else."""

from __future__ import annotations

import gc
import threading

import psycopg
import pytest
from engine.queue.mails import length
from sqlalchemy.engine import make_url
from waiting import PATIENCE_SECONDS, wait_until

from collective.maildrophost.engine.queue import (
    enqueue,
)


def test_rings_that_a_pooler_brings_to_somebody_else_are_not_kept(queue, hands):
    with queue.write() as tx:
        session = tx.connection.dbapi_connection
    session.execute("LISTEN maildrop")
    hands.send()
    hands.send()
    gc.collect()  # What another test has left belongs to nobody any more.
    assert not [each for each in gc.get_objects() if isinstance(each, psycopg.Notify)]


def test_ringing_belongs_to_the_transaction(queue, hands):
    heard = []
    listening = threading.Event()
    url = make_url(queue.url)

    def listen():
        with psycopg.connect(
            host=url.query["host"],
            user="maildrop",
            dbname=url.database,
            autocommit=True,
        ) as connection:
            connection.execute("LISTEN maildrop")
            listening.set()
            for each in connection.notifies(timeout=PATIENCE_SECONDS, stop_after=1):
                heard.append((each, length(queue)))

    thread = threading.Thread(target=listen)
    thread.start()
    assert listening.wait(PATIENCE_SECONDS)
    with pytest.raises(ZeroDivisionError), queue.write() as tx:
        assert len(enqueue(tx, [hands.mail()], hands.now)) / 0
    with queue.write() as tx:
        enqueue(tx, [hands.mail()], hands.now)
        assert not heard
    wait_until(lambda: heard, what="the ring")
    thread.join()
    assert heard[0][1] == 1
