"""A queue that does not answer is waited for once, whatever the page asks of it."""

from __future__ import annotations

import pytest

from collective.maildrophost.controlpanel.mailhost import SiteMailHost
from collective.maildrophost.engine.queue import QueueError


@pytest.fixture
def asked(monkeypatch):
    """How often a queue was asked that gives no answer."""
    asked = []

    def queue(self):
        asked.append(self)
        raise QueueError("postgresql://db/mail", "no answer within 30 s")

    monkeypatch.setattr(SiteMailHost, "queue", queue)
    return asked


@pytest.mark.parametrize("view", ["", "queue", "test", "test-progress", "settings"])
def test_a_page_asks_a_queue_that_does_not_answer_once(panel, asked, view):
    page = panel.open(view, page="3", message="<1@example.org>")
    assert "no answer within 30 s" in page
    assert len(asked) == 1
