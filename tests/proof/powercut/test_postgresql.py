"""Power cuts at many moments of real runs on PostgreSQL: every promise holds.

`make proof`; `--proof-seconds` for as long as you have.
"""

from __future__ import annotations

import random
import time
from collections import Counter

import pytest
from proof.powercut.cluster import cluster
from proof.powercut.cutting import cut
from proof.powercut.disk import Names
from proof.powercut.proving import prove, show
from proof.powercut.recording import Recording

RUN_SECONDS = 5.0
CUTS_OF_A_RUN = 40
"""Fewer: for each of them a server starts."""
SETTINGS = ({"checkpoint_completion_target": 0}, {"synchronous_commit": "off"})
"""Many checkpoints in a run, and a server that answers commits early where it may."""
KINDS = (Names.OWN, Names.JOURNAL)


def test_what_was_promised_outlives_a_power_cut_of_the_server(relay, ends, capsys):
    counts: Counter[str] = Counter()
    while counts["runs"] < len(SETTINGS) or time.monotonic() < ends:
        settings = SETTINGS[counts["runs"] % len(SETTINGS)]
        with cluster(**settings) as database:
            recording = Recording(database, relay, RUN_SECONDS)
            counts += prove(recording, relay, KINDS, CUTS_OF_A_RUN)
    show(counts, capsys)


@pytest.mark.parametrize(
    ("settings", "changes"),
    [({"fsync": "off"}, {}), ({"synchronous_commit": "off"}, {"unforced": True})],
    ids=["fsync", "synchronous_commit"],
)
def test_the_proof_finds_what_the_server_does_not_sync(relay, settings, changes):
    with cluster(**settings) as database:
        recording = Recording(database, relay, 2.0, **changes)
        cuts = cut(recording, Names.JOURNAL, 30, random.Random(1))
    # Without any syncs, most often no server starts from what is left.
    words = "gone after" if changes else ""
    assert any(words in loss for loss in cuts.losses)
