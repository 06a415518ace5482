"""Cut the power of a recording at many moments; go on from what is left."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field

from proof.powercut.disk import Kept, Names
from proof.powercut.ledger import losses
from proof.powercut.recording import Moment, Recording

from collective.maildrophost.engine.queue import QueueError

CHANCES = (0.1, 0.5, 0.9)
SECTORS = (0, 512, 4096)
MORE_WHEN_SAID = 8
"""A cut right after something was said to somebody is so much more likely."""


@dataclass
class Cuts:
    """What many cuts have shown."""

    count: int = 0
    said: int = 0
    promises: int = 0
    losses: list[str] = field(default_factory=list)


def some_loss(dice: random.Random) -> Kept:
    """Nothing, all, or any part of what was not synced."""
    chance = dice.choice((0.0, 1.0, *CHANCES))
    return Kept(chance, dice.choice(SECTORS) if chance in CHANCES else 0)


def sampled(
    recording: Recording, names: Names, about: int, dice: random.Random
) -> Iterator[Moment]:
    """About so many moments of it, more of them right after a promise."""
    chance = about / (MORE_WHEN_SAID * recording.said + recording.unsaid)
    for moment in recording.moments(names):
        factor = MORE_WHEN_SAID if moment.said else 1
        if dice.random() < chance * factor:
            yield moment


def cut(recording: Recording, names: Names, about: int, dice: random.Random) -> Cuts:
    """Cut the power about so many times; every loss with its moment."""
    cuts = Cuts()
    for moment in sampled(recording, names, about, dice):
        kept = some_loss(dice)
        cuts.count += 1
        cuts.said += moment.said
        cuts.promises += len(moment.testimony.steps) + len(moment.testimony.offers)
        found = _losses_after(recording, moment, kept, dice)
        cuts.losses += [
            f"call {moment.number}, {names.value} names, {kept}: {loss}"
            for loss in found
        ]
    return cuts


def _losses_after(
    recording: Recording, moment: Moment, kept: Kept, dice: random.Random
) -> list[str]:
    database = recording.database
    target = recording.home.with_name("cut")
    target.mkdir()
    try:
        moment.disk.rebuild(target, kept, dice)
        with database.opened(target) as queue:
            damage = list(database.damage(queue))
            return [*damage, *losses(target, queue, moment.testimony)]
    except QueueError as error:
        return [str(error)]
    finally:
        shutil.rmtree(target)
