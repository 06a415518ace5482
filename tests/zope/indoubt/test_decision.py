"""The decision about a batch, for all that can be known of it."""

from __future__ import annotations

import pytest

from collective.maildrophost.engine.identity import Fate
from collective.maildrophost.engine.queue import Batch
from collective.maildrophost.indoubt.decision import Decision, decide
from collective.maildrophost.indoubt.endings import Ending

VOTED, UNVOTED = Batch("1", "p", voted=True, log="{}"), Batch("2", "p")
YES, NO, NOBODY = Ending.COMMITTED, Ending.ABORTED, Ending.UNKNOWN


@pytest.mark.parametrize("fate", Fate)
@pytest.mark.parametrize(("here", "logged"), [(None, YES), (YES, None), (NOBODY, YES)])
def test_what_has_committed_goes_out_whoever_lives(fate, here, logged):
    assert decide(VOTED, fate, here, logged) is Decision.RELEASE


@pytest.mark.parametrize("fate", [Fate.RUNNING, Fate.UNKNOWN])
@pytest.mark.parametrize("batch", [VOTED, UNVOTED])
@pytest.mark.parametrize("logged", [None, NO, NOBODY])
def test_what_may_still_commit_is_waited_for(batch, fate, logged):
    assert decide(batch, fate, None, logged) is Decision.WAIT


@pytest.mark.parametrize("logged", [None, NOBODY, NO])
def test_what_nobody_had_voted_for_has_not_committed(logged):
    assert decide(UNVOTED, Fate.ENDED, None, logged) is Decision.DISCARD


@pytest.mark.parametrize(("fate", "here"), [(Fate.ENDED, None), (Fate.RUNNING, NOBODY)])
def test_the_log_decides_about_what_is_over(fate, here):
    assert decide(VOTED, fate, here, NO) is Decision.DISCARD
    assert decide(VOTED, fate, here, NOBODY) is Decision.PERSON
    assert decide(VOTED, fate, here, None) is Decision.PERSON


@pytest.mark.parametrize("logged", [None, NO, NOBODY])
def test_what_this_process_has_aborted_is_deleted(logged):
    assert decide(VOTED, Fate.RUNNING, NO, logged) is Decision.DISCARD
