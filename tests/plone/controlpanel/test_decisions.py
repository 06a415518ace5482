"""What the control panel lets decide: about batches in doubt, about whole lanes."""

from __future__ import annotations

import pytest

from collective.maildrophost.engine.actions import release_batch
from collective.maildrophost.engine.queue import Batch, remember_batch
from collective.maildrophost.engine.system.identity import own_identity


def test_a_batch_in_doubt_is_released(panel, in_doubt, states):
    panel.open()
    assert "2 mails" in panel.text
    assert "in doubt" in panel.text
    panel.browser.getControl("Release").click()
    assert "Released: 2" in panel.text
    assert states() == {"one": "queued", "two": "queued"}


def test_a_batch_whose_transaction_still_runs_cannot_be_decided(
    panel, in_doubt, states, queue
):
    with queue.write() as tx:
        remember_batch(tx, Batch(in_doubt, own_identity()))
    panel.open()
    assert "still running" in panel.text
    assert "in doubt" not in panel.text
    panel.post("maildrophost-batch", batch=in_doubt, decision="release")
    assert "belongs to a transaction that still runs" in panel.text
    assert states() == {"one": "prepared", "two": "prepared"}


def test_a_batch_in_doubt_is_discarded_after_a_question(panel, in_doubt, states):
    panel.open()
    panel.browser.getControl("Discard").click()
    assert "Discard this mail for good?" in panel.text
    assert len(states()) == 2
    panel.browser.getControl("Discard for good").click()
    assert states() == {}


@pytest.mark.parametrize("button", ["Release", "Discard for good"])
def test_the_page_says_that_somebody_else_has_decided_about_a_batch(
    panel, in_doubt, queue, states, button
):
    panel.open()
    if button != "Release":
        panel.browser.getControl("Discard").click()
    release_batch(queue, in_doubt)
    panel.browser.getControl(button).click()
    assert "Nothing was done: somebody else has decided about this mail" in panel.text
    assert "Released:" not in panel.text
    assert "Discarded:" not in panel.text
    assert states() == {"one": "queued", "two": "queued"}


def test_a_lane_is_held_and_released(panel):
    panel.post("maildrophost-lane", lane="bulk", decision="hold")
    assert "Held lanes: Bulk" in panel.text
    panel.post("maildrophost-lane", lane="bulk", decision="release")
    assert "Held lanes" not in panel.text


@pytest.mark.parametrize("decision", [{}, {"decision": "Hold"}])
def test_a_lane_stays_held_unless_it_is_to_be_released(panel, decision):
    panel.post("maildrophost-lane", lane="bulk", decision="hold")
    panel.post("maildrophost-lane", lane="bulk", **decision)
    assert "There is no such action." in panel.text
    assert "Held lanes: Bulk" in panel.text
    panel.post("maildrophost-lane", lane="bulk", decision="release")
