"""Mail that an import to another queue has put aside."""

from __future__ import annotations

import time

import pytest

from collective.maildrophost.engine.queue import discard, prepare
from collective.maildrophost.engine.queue.batches import MOVING

HEADING = "Mail on its way to another queue"


@pytest.fixture
def broken_off(queue, mail):
    """The ids of two mails whose move to another queue was broken off."""
    batch = f"{MOVING}queued"
    with queue.write() as tx:
        ids = prepare(tx, batch, [mail("one"), mail("two")], time.time())
    yield ids
    with queue.write() as tx:
        discard(tx, batch)


def test_the_overview_tells_of_mail_whose_move_was_broken_off(panel, broken_off):
    panel.open()
    assert HEADING in panel.text
    assert "nobody sends from here: 2 ." in panel.text
    assert "has not ended" not in panel.text


def test_the_page_of_a_message_says_that_it_may_be_moving_to_another_queue(
    panel, broken_off
):
    panel.open("message", id=broken_off[0])
    assert "or it is being moved to another queue." in panel.text


def test_where_nothing_is_moved_nothing_is_said(panel, in_doubt):
    panel.open()
    assert HEADING not in panel.text
