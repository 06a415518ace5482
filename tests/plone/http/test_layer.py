"""The layers for the tests of other add-ons: what one test leaves to the next."""

from __future__ import annotations

import pytest

from collective.maildrophost.testing import MAILDROPHOST_FIXTURE


@pytest.mark.parametrize("state", ["prepared", "queued", "held", "failed", "sent"])
def test_the_queue_is_empty_when_a_test_begins(hands, state):
    id = hands.in_state(state)

    MAILDROPHOST_FIXTURE.testSetUp()

    assert hands.state(id) is None
