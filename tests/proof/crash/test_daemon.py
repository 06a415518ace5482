"""A daemon that is killed at any step loses nothing; twice goes only what is marked."""

from __future__ import annotations

import pytest
from proof.crash.audit import Audit
from proof.crash.points import DAEMON, DIALOGUE, LEDGER, ways
from proof.crash.scenes import SCENES

from collective.maildrophost.engine.queue import State

ON_A_SERVER = [
    point
    for point in LEDGER
    if point.doing in {("claim",), ("settle sent",), ("settle failed", "enqueue")}
]
"""Where the server has to clean up after a process that is killed."""
NOTIFIED = {"two recipients", "refusal", "expiry"}
"""Scenes in which a mail fails for somebody, and its sender is told."""


@pytest.mark.parametrize(
    ("scene", "plan"), [pytest.param(*way, id=name) for name, *way in ways(LEDGER)]
)
def test_the_ledger_is_right_whichever_transaction_dies(house, relay, scene, plan):
    promised = SCENES[scene](house, relay)
    house.die_running(plan, "run")
    house.settle_down()
    audit = Audit(house, relay)
    audit.check(promised)
    if scene in NOTIFIED:
        assert len(audit.notifications) == 1


@pytest.mark.parametrize(
    ("scene", "plan"), [pytest.param(*way, id=name) for name, *way in ways(ON_A_SERVER)]
)
def test_the_ledger_on_a_server_is_right_whichever_transaction_dies(
    house_on_a_server, relay, scene, plan
):
    promised = SCENES[scene](house_on_a_server, relay)
    house_on_a_server.die_running(plan, "run")
    house_on_a_server.settle_down()
    Audit(house_on_a_server, relay).check(promised)


@pytest.mark.parametrize(
    ("scene", "plan"), [pytest.param(*way, id=name) for name, *way in ways(DAEMON)]
)
def test_no_other_step_of_a_daemon_loses_mail(house, relay, scene, plan):
    promised = SCENES[scene](house, relay)
    house.die_running(plan, "run", *(["--once"] if scene == "stopping" else []))
    house.settle_down()
    Audit(house, relay).check(promised)


@pytest.mark.parametrize(
    ("scene", "plan"), [pytest.param(*way, id=name) for name, *way in ways(DIALOGUE)]
)
def test_a_conversation_that_is_cut_off_is_held_again(house, relay, scene, plan):
    promised = SCENES[scene](house, relay)
    house.die_running(plan, "run")
    house.settle_down()
    audit = Audit(house, relay)
    audit.check(promised)
    (record,) = house.messages()
    assert record.state is State.SENT
    assert record.possible_duplicate
