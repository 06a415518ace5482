"""A queue of any earlier version is brought to this one; a later one is refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from engine.queue.versions import TO_THE_FIRST_VERSION
from sqlalchemy import inspect, make_url

from collective.maildrophost.engine.queue import (
    QueueError,
    open_queue,
    stats,
    upgrades,
)
from collective.maildrophost.engine.queue.tables import metadata


def test_a_queue_of_the_first_version_is_brought_up_to_date(hands, queue):
    (id,) = hands.send()
    with queue.write() as tx:
        for statement in TO_THE_FIRST_VERSION:
            tx.exec_driver_sql(statement)
    opened = open_queue(queue.url)
    with opened.read() as tx:
        found = inspect(tx)
        for name, table in metadata.tables.items():
            columns = {each["name"] for each in found.get_columns(name)}
            assert columns == set(table.columns.keys()), name
            key = found.get_pk_constraint(name)["constrained_columns"]
            assert key == [each.name for each in table.primary_key], name
        assert upgrades.version(tx) == upgrades.VERSION
    opened.close()
    (claimed,) = hands.claim()
    assert (str(claimed.id), claimed.warned) == (id, False)
    (hour,) = hands.do(stats, hands.now).hours
    assert (hour.hour, hour.sent, hour.deferred, hour.failed) == (1799996400, 7, 2, 1)


def test_a_queue_of_a_later_version_is_left_alone(hands, queue):
    hands.send()
    with queue.write() as tx:
        tx.exec_driver_sql("UPDATE maildrop_schema SET version = 99")
    with pytest.raises(QueueError, match=r"version 99.*install the newer"):
        open_queue(queue.url)
    assert len(hands.claim()) == 1


def opened_by_six(url):
    """The versions that six threads find who open a queue at once."""

    def opened(_):
        queue = open_queue(url)
        with queue.read() as tx:
            version = upgrades.version(tx)
        queue.close()
        return version

    with ThreadPoolExecutor(6) as threads:
        return list(threads.map(opened, range(6)))


SOME = {
    "maildrop_due_by_lane": ("queued", "deferred"),
    "maildrop_schedule_by_batch": ("batch IS NOT NULL",),
    "maildrop_schedule_by_owner": ("owner IS NOT NULL",),
}


def test_an_index_has_only_the_rows_that_are_looked_for(empty_url):
    """What is sent and kept as history costs a claim nothing."""
    with closing(open_queue(empty_url)) as queue, queue.read() as tx:
        indexes = inspect(tx).get_indexes("maildrop_schedule")
    kind = f"{make_url(empty_url).get_backend_name()}_where"
    conditions = {each["name"]: each["dialect_options"].get(kind) for each in indexes}
    assert conditions.pop("maildrop_schedule_by_state") is None
    assert set(conditions) == set(SOME)
    for name, words in SOME.items():
        assert all(word in str(conditions[name]) for word in words), conditions[name]


def test_many_who_open_a_new_queue_at_once_make_it_once(empty_url):
    """A daemon and several Zopes, started together for the first time."""
    assert opened_by_six(empty_url) == [upgrades.VERSION] * 6


def test_many_who_open_a_new_queue_on_sqlite_at_once_never_fail(tmp_path):
    # SQLite lets one of them switch the journal's mode: one of thirty went wrong.
    for attempt in range(100):
        url = f"sqlite:///{tmp_path}/{attempt}/queue.db"
        assert opened_by_six(url) == [upgrades.VERSION] * 6
