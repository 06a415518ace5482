"""What a process knows of a transaction does not end with the thread that had it."""

from __future__ import annotations

import threading
from functools import partial

import pytest

from collective.maildrophost.indoubt import endings
from collective.maildrophost.indoubt.endings import Ending

BATCH = "1"


@pytest.mark.parametrize(
    ("step", "known"),
    [
        (endings.voted, {}),
        (
            partial(endings.left_undone, ending=Ending.COMMITTED),
            {BATCH: Ending.COMMITTED},
        ),
        (partial(endings.done, ending=Ending.COMMITTED), {BATCH: Ending.COMMITTED}),
    ],
    ids=["voted", "left", "done"],
)
def test_what_may_have_committed_is_not_aborted_by_the_end_of_its_thread(
    request, step, known
):
    url = request.node.name  # nobody else's

    def end():
        endings.unvoted(url, BATCH)
        step(url, BATCH)

    thread = threading.Thread(target=end)
    thread.start()
    thread.join()
    assert endings.known_here(url) == known
