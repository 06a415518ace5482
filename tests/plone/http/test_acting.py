"""@maildrop/messages/ID: acted on, by PATCH and DELETE."""

from __future__ import annotations

import pytest
from addresses import MESSAGES

from collective.maildrophost.engine.queue import Unheard

# Everything here holds wherever the queue is kept.
pytestmark = pytest.mark.usefixtures("either_database")


@pytest.mark.parametrize(
    ("action", "before", "after"),
    [
        ("retry", "deferred", "queued"),
        ("retry", "failed", "queued"),
        ("hold", "queued", "held"),
        ("hold", "deferred", "held"),
        ("release", "held", "queued"),
        ("release", "prepared", "queued"),
        # So they are already.
        ("retry", "queued", "queued"),
        ("retry", "sending", "sending"),
        ("hold", "held", "held"),
        ("release", "queued", "queued"),
        ("release", "deferred", "deferred"),
    ],
)
def test_an_action_changes_a_message(rest, hands, action, before, after):
    id = hands.in_state(before)

    answer = rest.patch(f"{MESSAGES}/{id}", json={"action": action})

    assert answer.status_code == 204
    assert answer.text == ""
    assert hands.state(id) == after


@pytest.mark.parametrize("state", ["queued", "deferred", "held", "failed", "sent"])
def test_a_message_is_deleted(rest, hands, state):
    id = hands.in_state(state)

    answer = rest.delete(f"{MESSAGES}/{id}")

    assert answer.status_code == 204
    assert hands.state(id) is None


@pytest.mark.parametrize(
    ("method", "body", "state"),
    [
        ("PATCH", {"action": "retry"}, "held"),
        ("PATCH", {"action": "hold"}, "failed"),
        ("PATCH", {"action": "release"}, "sent"),
        ("DELETE", None, "sending"),
    ],
)
def test_an_action_that_does_not_suit_the_state_is_a_conflict(
    rest, hands, method, body, state
):
    id = hands.in_state(state)

    answer = rest.request(method, f"{MESSAGES}/{id}", json=body)

    assert answer.status_code == 409
    assert f"is {state}; only" in answer.json()["message"]
    assert hands.state(id) == state


@pytest.mark.parametrize(
    "body",
    [
        "{}",
        '{"action": "delete"}',
        '{"action": ["retry"]}',
        '{"action": null}',
        "[]",
        "no json",
        "",
        pytest.param("[" * 100_000, id="nested too deeply"),
        pytest.param('{"action": ' + "[" * 500 + "]" * 500 + "}", id="nested"),
    ],
)
def test_an_unknown_action_is_refused_with_the_known_ones(rest, hands, body):
    id = hands.in_state("failed")

    answer = rest.patch(f"{MESSAGES}/{id}", data=body)

    assert answer.status_code == 400
    assert "retry, hold, release" in answer.json()["message"]
    assert hands.state(id) == "failed"


def test_an_action_wakes_the_daemon(rest, hands, monkeypatch):
    rung = []
    monkeypatch.setattr("collective.maildrophost.engine.actions.ring", rung.append)
    id = hands.in_state("failed")
    hands.daemon()

    rest.patch(f"{MESSAGES}/{id}", json={"action": "retry"})

    assert len(rung) == 1
    assert rung[0]


@pytest.mark.parametrize("method", ["patch", "delete"])
def test_what_may_have_been_done_is_not_reported_as_a_failure(
    rest, hands, monkeypatch, method
):
    def never_answered(*_args):
        raise Unheard("postgresql://db/q", "nobody knows whether it was committed")

    (id,) = hands.send(hands.mail())
    monkeypatch.setattr("collective.maildrophost.api.messages.act", never_answered)
    body = {"json": {"action": "hold"}} if method == "patch" else {}
    answer = getattr(rest, method)(f"{MESSAGES}/{id}", **body)
    assert answer.status_code == 503
    assert answer.json()["type"] == "ServiceUnavailable"
    assert answer.json()["message"].startswith("It may have been done, look before")
