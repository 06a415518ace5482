"""Whatever makes mail due has the daemons of all machines look."""

from __future__ import annotations

import pytest

from collective.maildrophost.engine.message import Lane
from collective.maildrophost.engine.queue import (
    State,
    hold_messages,
    recover_ownerless,
    release,
    release_lane,
    release_messages,
    retire,
    retry_messages,
)

MAKES_DUE = {
    "mail comes": lambda hands, ids: hands.send(),
    "its transaction commits": lambda hands, ids: hands.do(
        release, hands.message(ids[State.PREPARED]).batch
    ),
    "somebody retries": lambda hands, ids: hands.do(
        retry_messages, [ids[State.DEFERRED]], hands.now
    ),
    "somebody releases": lambda hands, ids: hands.do(
        release_messages, [ids[State.HELD]]
    ),
    "a lane is released": lambda hands, ids: hands.do(release_lane, Lane.BULK),
    "a daemon ends": lambda hands, ids: hands.do(retire, "busy"),
    "a daemon was gone": lambda hands, ids: hands.do(recover_ownerless),
}


@pytest.fixture
def rung(queue, monkeypatch):
    """The transactions in which the database was to wake the daemons."""
    rung = []
    monkeypatch.setattr(queue.database, "wake", rung.append)
    return rung


@pytest.mark.parametrize("what", MAKES_DUE)
def test_all_daemons_are_woken_when(hands, one_of_each, rung, what):
    rung.clear()
    MAKES_DUE[what](hands, one_of_each)
    assert rung


def test_no_daemon_is_woken_when_mail_is_held(hands, one_of_each, rung):
    rung.clear()
    hands.do(hold_messages, [one_of_each[State.QUEUED]])
    assert rung == []
