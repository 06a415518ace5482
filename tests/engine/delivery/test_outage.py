"""What the log hears of a queue that can't be written."""

from __future__ import annotations

import logging

from collective.maildrophost.engine.delivery.outage import TRIES_PER_LINE, Outage
from collective.maildrophost.engine.queue import QueueError


def test_an_outage_has_a_line_now_and_then_and_one_at_its_end(caplog):
    """The log may lie on the very disk that is full."""
    caplog.set_level(logging.INFO)
    outage, tries = Outage(), TRIES_PER_LINE + 1
    for _ in range(tries):
        outage.goes_on(QueueError("queue", "the disk is full"), waiting=3)
        assert outage.lasts
    for _ in range(2):
        outage.is_over()
        assert not outage.lasts
    lasts = "mail queue queue: the disk is full; nothing new is sent, 3 verdicts wait"
    first, again, over = caplog.messages
    assert first == again == f"{lasts} to be written"
    assert over == f"the queue can be written again, after {tries} tries"
