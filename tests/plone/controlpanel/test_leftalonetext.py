"""Why a message is left alone, in the reader's language."""

from __future__ import annotations

import pytest
from zope.i18n.interfaces import IUserPreferredLanguages
from zope.interface import implementer

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


@implementer(IUserPreferredLanguages)
class Reader:
    """Somebody who reads one language."""

    def __init__(self, language):
        self.language = language

    def getPreferredLanguages(self):
        return [self.language]


@pytest.mark.parametrize("why", REASONS, ids=str)
def test_every_reason_is_said_as_everywhere_and_in_german(portal, why):
    assert reason(why, Reader("en")) == str(why)
    german = reason(why, Reader("de"))
    for english in (" is ", "messages", "transaction ", "there ", "only "):
        assert english not in f" {german} "
