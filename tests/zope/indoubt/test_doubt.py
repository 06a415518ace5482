"""When the logs of ZODB are asked about a batch, and when they are believed."""

from __future__ import annotations

import itertools

import pytest

from collective.maildrophost.engine.system.identity import Fate
from collective.maildrophost.indoubt import doubt
from collective.maildrophost.indoubt.doubt import Doubt
from collective.maildrophost.indoubt.endings import Ending

LOOK = 10.0
DAY = 86400.0
UPTIME = 10 * DAY
"""Of the machine; the monotonic clock counts from its start."""


@pytest.fixture
def moments():
    """After how many seconds a log is asked, with a look every ten for a day."""

    def ask(told, settled):
        about = Doubt()
        asked = []
        for after in itertools.takewhile(
            lambda after: after < DAY, itertools.count(0.0, LOOK)
        ):
            if about.asks(settled, UPTIME + after):
                about.hear(told, settled, UPTIME + after)
                asked.append(after)
        return asked

    return ask


def test_what_may_still_commit_is_asked_about_soon_and_then_every_hour(moments):
    asked = moments(Ending.ABORTED, settled=False)
    assert asked[:6] == [0, 10, 20, 40, 80, 160]
    pauses = {late - soon for soon, late in itertools.pairwise(asked[-10:])}
    assert pauses == {3600.0}


def test_a_log_that_has_settled_is_asked_once(moments):
    assert moments(Ending.ABORTED, settled=True) == [0]


def test_a_log_that_can_tell_nothing_is_asked_again_every_hour(moments):
    assert moments(Ending.UNKNOWN, settled=True)[:3] == [0, 3600, 7200]


@pytest.mark.parametrize("settled", [True, False])
def test_a_log_that_has_the_batch_is_asked_once(moments, settled):
    assert moments(Ending.COMMITTED, settled) == [0]


@pytest.mark.settling
def test_a_committed_batch_is_left_to_its_process_at_first():
    about = Doubt()
    about.hear(Ending.ABORTED, False, 0.0)
    assert not about.had_its_time(DAY)
    about.hear(Ending.COMMITTED, False, DAY)
    assert not about.had_its_time(DAY - 1.0 + doubt.SETTLE_SECONDS)
    assert about.had_its_time(DAY + doubt.SETTLE_SECONDS)


def test_a_log_that_answered_before_it_settled_is_asked_once_more():
    about = Doubt()
    about.hear(Ending.ABORTED, False, 0.0)
    assert about.asks(True, 0.0)
    about.hear(Ending.ABORTED, True, 0.0)
    assert not about.asks(True, DAY)


@pytest.mark.settling
def test_a_log_settles_some_time_after_the_end_of_its_process_was_noticed():
    about = Doubt()
    assert not about.is_settled(Fate.ENDED, 100.0)
    assert not about.is_settled(Fate.ENDED, 99.0 + doubt.SETTLE_SECONDS)
    assert about.is_settled(Fate.ENDED, 100.0 + doubt.SETTLE_SECONDS)


def test_a_log_never_settles_while_the_end_of_its_process_is_unknown():
    assert not Doubt().is_settled(Fate.UNKNOWN, DAY)
