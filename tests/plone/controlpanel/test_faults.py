"""What the control panel says when the queue did not do what was wanted."""

from __future__ import annotations

import pytest

from collective.maildrophost.controlpanel import decide
from collective.maildrophost.engine import actions
from collective.maildrophost.engine.queue import QueueError

PERHAPS = "It may have been done, look before you do it again"
ONE_GO = [
    ("maildrophost-lane", {"lane": "bulk", "decision": "hold"}),
    ("maildrophost-batch", {"batch": "x", "decision": "release"}),
    ("maildrophost-act", {"action": "hold", "ids:list": "1"}),
]
ALL = ("maildrophost-act", {"action": "hold", "scope": "all"})


@pytest.fixture
def end_in(monkeypatch):
    """Lets every operation of the queue end in the same way."""

    def end_in(operation):
        monkeypatch.setattr(actions, "act", operation)
        for name in ("act_on_lane", "release_batch"):
            monkeypatch.setattr(decide, name, operation)

    return end_in


def full(*_args, **_options):
    raise QueueError("sqlite:////queue.db", "the disk is full")


@pytest.mark.parametrize(("view", "fields"), ONE_GO)
def test_the_page_says_that_nothing_was_done(panel, end_in, view, fields):
    end_in(full)
    panel.post(view, **fields)
    assert "Nothing was done: mail queue sqlite:////queue.db: the disk" in panel.text


@pytest.mark.parametrize(("view", "fields"), [*ONE_GO, ALL])
def test_what_may_have_been_done_is_not_reported_as_a_failure(
    panel, end_in, unheard, put, mail, view, fields
):
    put(mail())
    end_in(unheard)
    panel.post(view, **fields)
    assert PERHAPS in panel.text
    assert "Nothing was done" not in panel.text
    assert "Not everything was done" not in panel.text


def test_an_action_on_all_that_match_may_be_done_for_some(panel, end_in, put, mail):
    put(mail())
    end_in(full)
    view, fields = ALL
    panel.post(view, **fields)
    assert "Not everything was done: " in panel.text
