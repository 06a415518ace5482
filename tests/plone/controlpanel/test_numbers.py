"""How many mails there are, and the words beside a number."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from collective.maildrophost.controlpanel import page
from collective.maildrophost.engine.message import Lane
from collective.maildrophost.engine.queue import (
    State,
    discard,
    health_of,
    look,
    new_batch,
    prepare,
)
from collective.maildrophost.engine.queue.hours import HourRecord


@pytest.mark.parametrize(("count", "said"), [(1, "1 mail ,"), (2, "2 mails ,")])
def test_mails_of_a_batch_are_counted(panel, queue, mail, count, said):
    batch = new_batch()
    with queue.write() as tx:
        prepare(tx, batch, [mail() for _ in range(count)], time.time())
    panel.open()
    assert said in panel.text
    with queue.write() as tx:
        discard(tx, batch)


@pytest.mark.parametrize(
    ("count", "said"), [(1, "Delete 1 message for"), (2, "Delete 2 messages for")]
)
def test_messages_to_be_deleted_are_counted(panel, put, mail, count, said):
    put(*[mail() for _ in range(count)])
    panel.post("maildrophost-act", action="delete", scope="all")
    assert said in panel.text


@pytest.fixture
def large(monkeypatch):
    """The figures of a very large queue."""

    def large(tx, now):
        stats = replace(
            look(tx, now)[1],
            states={State.QUEUED: 1_000_001},
            lanes={Lane.BULK: 1_000_002},
            hours=(HourRecord(int(now) // 3600 * 3600, 1_000_003, 0, 0),),
        )
        return health_of(stats, (), 1_000_004), stats

    monkeypatch.setattr(page, "look", large)


def test_a_german_overview_has_the_separators_of_its_reader(panel, large):
    panel.reads("de")
    panel.open()
    assert "1.000.001 Eingereiht" in panel.text
    assert "1.000.001 noch nicht gesendet" in panel.text
    assert "1.000.002" in panel.text
    assert '<td class="text-end">1.000.003</td>' in panel.browser.contents
    # For all hours together, and at the bar.
    assert panel.text.count(": 1.000.003 gesendet") == 2
    assert "1.000.004 " in panel.text
