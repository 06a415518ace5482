"""What the page of the test mail says of it, in every state."""

from __future__ import annotations

import pytest

PAGE = "@@maildrophost-controlpanel-test-progress"
SAID = {
    "prepared": "The mail for you@example.net is in the queue.",
    "queued": "The mail for you@example.net is in the queue.",
    "deferred": "The relay has not taken the mail for you@example.net yet.",
    "sending": "A daemon is handing the mail for you@example.net to the relay.",
    "held": "Somebody holds the mail back.",
    "failed": "The relay has refused the mail for you@example.net for good.",
    "sent": "The relay has taken the mail for you@example.net.",
}


@pytest.mark.parametrize("state", SAID)
def test_each_state_has_its_sentence(rest, hands, state):
    hands.in_state(state)
    page = rest.get(
        PAGE, params={"message": "<1@example.org>"}, headers={"Accept": "text/html"}
    )
    assert SAID[state] in page.text
