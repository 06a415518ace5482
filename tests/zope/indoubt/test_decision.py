"""The decision about a batch, for all that can be known of it."""

from __future__ import annotations

import pytest

from collective.maildrophost.engine.queue import Batch
from collective.maildrophost.engine.system.identity import Fate
from collective.maildrophost.indoubt.decision import Decision, Known, decide
from collective.maildrophost.indoubt.endings import Ending

VOTED, UNVOTED = Batch("1", "p", voted=True, log="{}"), Batch("2", "p")
YES, NO, NOBODY = Ending.COMMITTED, Ending.ABORTED, Ending.UNKNOWN


def decided(batch, fate, here, logged, settled=True, had_its_time=True):
    return decide(Known(batch, fate, here, logged, settled, had_its_time))


@pytest.mark.parametrize("fate", Fate)
@pytest.mark.parametrize(("here", "logged"), [(None, YES), (YES, None), (NOBODY, YES)])
def test_what_has_committed_goes_out_whoever_lives(fate, here, logged):
    assert decided(VOTED, fate, here, logged) is Decision.RELEASE


@pytest.mark.parametrize("fate", [Fate.RUNNING, Fate.UNKNOWN])
@pytest.mark.parametrize("batch", [VOTED, UNVOTED])
@pytest.mark.parametrize("logged", [None, NO, NOBODY])
def test_what_may_still_commit_is_waited_for(batch, fate, logged):
    assert decided(batch, fate, None, logged) is Decision.WAIT


@pytest.mark.parametrize("logged", [None, NOBODY, NO])
def test_what_nobody_had_voted_for_has_not_committed(logged):
    assert decided(UNVOTED, Fate.ENDED, None, logged) is Decision.DISCARD


@pytest.mark.parametrize(("fate", "here"), [(Fate.ENDED, None), (Fate.RUNNING, NOBODY)])
def test_the_log_decides_about_what_is_over(fate, here):
    assert decided(VOTED, fate, here, NO) is Decision.DISCARD
    assert decided(VOTED, fate, here, NOBODY) is Decision.PERSON
    assert decided(VOTED, fate, here, None) is Decision.PERSON


@pytest.mark.parametrize("logged", [None, NO, NOBODY])
def test_what_this_process_has_aborted_is_deleted(logged):
    assert decided(VOTED, Fate.RUNNING, NO, logged) is Decision.DISCARD


def test_a_batch_committed_elsewhere_is_left_to_its_process_at_first():
    for here, fate, becomes in (
        (None, Fate.UNKNOWN, Decision.WAIT),
        (None, Fate.RUNNING, Decision.RELEASE),
        (None, Fate.ENDED, Decision.RELEASE),
        (NOBODY, Fate.UNKNOWN, Decision.RELEASE),
    ):
        assert decided(VOTED, fate, here, YES, had_its_time=False) is becomes


@pytest.mark.parametrize("logged", [None, NO, NOBODY])
def test_a_log_that_has_not_settled_says_nothing_for_good(logged):
    for here, fate in ((None, Fate.ENDED), (NOBODY, Fate.RUNNING)):
        assert decided(VOTED, fate, here, logged, settled=False) is Decision.WAIT
    # These could not have been committed at all.
    assert decided(VOTED, Fate.RUNNING, NO, logged, settled=False) is Decision.DISCARD
    assert decided(UNVOTED, Fate.ENDED, None, logged, settled=False) is Decision.DISCARD
