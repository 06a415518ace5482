"""Why a message is left alone, in the reader's language."""

from __future__ import annotations

import pytest

from collective.maildrophost.controlpanel.leftalonetext import reason
from collective.maildrophost.engine.queue import State
from collective.maildrophost.engine.queue.leftalone import (
    BeingMoved,
    NoSuchMessage,
    OtherState,
    StillRunning,
)
from collective.maildrophost.engine.queue.operator import ACTS_ON

REASONS = [
    NoSuchMessage(),
    StillRunning(),
    BeingMoved(),
    *(
        OtherState(action, state, ACTS_ON[action])
        for action in ACTS_ON
        for state in State
    ),
]


@pytest.mark.parametrize("why", REASONS, ids=str)
def test_every_reason_has_its_own_words_in_english_and_in_german(portal, reader, why):
    assert reason(why, reader("en")) == str(why)
    german = reason(why, reader("de"))
    for english in (" is ", "messages", "transaction ", "there ", "only "):
        assert english not in f" {german} "
