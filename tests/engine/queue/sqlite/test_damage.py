"""A row whose text is none harms nothing but itself."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing

import pytest

from collective.maildrophost.engine.message import compose
from collective.maildrophost.engine.queue import Refused, enqueue, open_queue
from collective.maildrophost.engine.queue.openrecipients import open_recipients


@pytest.fixture
def damaged(tmp_path):
    """A queue with a message whose recipient cannot be read."""
    mail = compose(b"Subject: x\n\ny\n", "a@x.org", ["b@x.org"], now=time.time())
    with closing(open_queue(f"sqlite:///{tmp_path}/queue.db")) as queue:
        with queue.write() as tx:
            enqueue(tx, [mail], time.time())
            tx.exec_driver_sql(
                "UPDATE maildrop_recipient SET address = CAST(X'ff4078' AS TEXT)"
            )
        yield queue


def test_who_meets_it_keeps_no_transaction_open(damaged):
    # Held on to, as by whoever logs it.
    with pytest.raises(Refused) as met, damaged.write() as tx:
        open_recipients(tx, [1])
    with closing(sqlite3.connect(damaged.path, timeout=0.0)) as another:
        busy, *_ = another.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    assert not busy, "a checkpoint that waits keeps all others from writing"
    assert "Could not decode" in str(met.value)
