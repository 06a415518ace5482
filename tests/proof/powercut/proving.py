"""Many cuts of one recording, daemons that go on from some, and what it adds up to."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

import pytest
from proof.powercut.continuing import faults_after
from proof.powercut.cutting import cut, sampled, some_loss
from proof.powercut.disk import Names
from proof.powercut.recording import Recording
from servers.scripted import Scripted

CONTINUATIONS = 3


def prove(
    recording: Recording, relay: Scripted, kinds: Sequence[Names], about: int
) -> Counter[str]:
    """Cut it about so many times with names of each kind; nothing may be lost."""
    seed = random.randrange(2**32)
    dice = random.Random(seed)
    counts = Counter({"runs": 1, "calls": len(recording.calls)})
    for names in kinds:
        cuts = cut(recording, names, about, dice)
        assert not cuts.losses, (seed, cuts.losses[:20])
        counts[f"cuts ({names.value} names)"] += cuts.count
        counts["of them at the moment of a promise"] += cuts.said
        counts["promises checked"] += cuts.promises
    names = dice.choice(kinds)
    for moment in sampled(recording, names, CONTINUATIONS, dice):
        kept = some_loss(dice)
        faults = faults_after(recording, moment, relay, kept, dice)
        assert not faults, (seed, moment.number, kept, faults[:20])
        counts["daemons that went on"] += 1
    return counts


def show(counts: Counter[str], capsys: pytest.CaptureFixture[str]) -> None:
    """On the terminal, whether the test passes or not."""
    with capsys.disabled():
        print()
        for what, count in counts.items():
            print(f"{count:>10,} {what}")
