"""Power cuts at many moments of real runs on SQLite: every promise still holds.

`make proof`; `--proof-seconds` for as long as you have.
"""

from __future__ import annotations

import random
import time
from collections import Counter

import pytest
from engine.conftest import Site
from proof.powercut.cutting import cut
from proof.powercut.databases import SQLite
from proof.powercut.disk import Names
from proof.powercut.proving import prove, show
from proof.powercut.recording import Recording

RUN_SECONDS = 5.0
CUTS_OF_A_RUN = 100
CHECKPOINT_PAGES = (4000, 60)
"""The usual number, and so few that many checkpoints fall into a run."""
KINDS = (Names.STRICT, Names.JOURNAL)


@pytest.fixture
def record(tmp_path, relay):
    def record(seconds=RUN_SECONDS, **changes):
        home = tmp_path / f"{time.monotonic_ns()}" / "home"
        home.mkdir(parents=True)
        return Recording(SQLite(Site(home)), relay, seconds, **changes)

    return record


def test_what_was_promised_outlives_every_power_cut(record, relay, ends, capsys):
    counts: Counter[str] = Counter()
    while counts["runs"] < len(CHECKPOINT_PAGES) or time.monotonic() < ends:
        pages = CHECKPOINT_PAGES[counts["runs"] % len(CHECKPOINT_PAGES)]
        recording = record(queue__sqlite__database__CHECKPOINT_PAGES=pages)
        counts += prove(recording, relay, KINDS, CUTS_OF_A_RUN)
    show(counts, capsys)


@pytest.mark.parametrize("synchronous", ["OFF", "NORMAL"])
def test_the_proof_finds_what_is_not_synced(record, synchronous):
    recording = record(2.0, synchronous=synchronous)
    cuts = cut(recording, Names.JOURNAL, 60, random.Random(1))
    assert any("is gone after" in loss for loss in cuts.losses)
