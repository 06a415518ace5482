"""Power cuts at many moments of real runs: what had been said still holds.

`make proof`; `--proof-seconds` for as long as you have.
"""

from __future__ import annotations

import random
import time
from collections import Counter

import pytest
from engine.conftest import Site
from proof.powercut.continuing import faults_after
from proof.powercut.cutting import cut, sampled, some_loss
from proof.powercut.databases import SQLite
from proof.powercut.disk import Names
from proof.powercut.recording import Recording
from servers.scripted import Scripted

RUN_SECONDS = 5.0
CUTS_OF_A_RUN = 100
CONTINUATIONS_OF_A_RUN = 4
CHECKPOINT_PAGES = (4000, 60)
"""As it is, and so few that many checkpoints fall into a run."""
LATER = ["451 4.2.0 later", "250 2.1.5 ok"] * 100_000


@pytest.fixture
def relay():
    answers = {"RCPT:no@x.org": "550 5.1.1 no", "RCPT:later@x.org": LATER}
    with Scripted(answers) as relay:
        yield relay


@pytest.fixture
def record(tmp_path, relay):
    def record(seconds=RUN_SECONDS, **changes):
        home = tmp_path / f"{time.monotonic_ns()}" / "home"
        home.mkdir(parents=True)
        return Recording(SQLite(Site(home)), relay, seconds, **changes)

    return record


def test_what_had_been_said_outlives_every_power_cut(record, relay, request, capsys):
    ends = time.monotonic() + request.config.getoption("--proof-seconds")
    counts: Counter[str] = Counter()
    while counts["runs"] < len(CHECKPOINT_PAGES) or time.monotonic() < ends:
        seed = random.randrange(2**32)
        dice = random.Random(seed)
        pages = CHECKPOINT_PAGES[counts["runs"] % len(CHECKPOINT_PAGES)]
        recording = record(queue__sqlite__CHECKPOINT_PAGES=pages)
        counts["runs"] += 1
        counts["calls"] += len(recording.calls)
        for names in Names:
            cuts = cut(recording, names, CUTS_OF_A_RUN, dice)
            assert not cuts.losses, (seed, pages, cuts.losses[:20])
            counts[f"cuts ({names.value} names)"] += cuts.count
            counts["of them at the moment of a promise"] += cuts.said
            counts["promises checked"] += cuts.promises
        names = dice.choice(list(Names))
        for moment in sampled(recording, names, CONTINUATIONS_OF_A_RUN, dice):
            kept = some_loss(dice)
            faults = faults_after(recording, moment, relay, kept, dice)
            assert not faults, (seed, moment.number, kept, faults[:20])
            counts["daemons that went on"] += 1
    with capsys.disabled():
        print()
        for what, count in counts.items():
            print(f"{count:>10,} {what}")


@pytest.mark.parametrize("synchronous", ["OFF", "NORMAL"])
def test_the_proof_finds_what_is_not_synced(record, synchronous):
    recording = record(2.0, synchronous=synchronous)
    cuts = cut(recording, Names.JOURNAL, 60, random.Random(1))
    assert any("is gone after" in loss for loss in cuts.losses)
