"""An operator's action is done or not done, wherever it is killed."""

from __future__ import annotations

import importlib.util
import time

import pytest
from proof.crash.audit import Audit
from proof.crash.killing import AFTER
from proof.crash.points import COMMANDS, OPERATOR, ways
from proof.crash.scenes import mail, queued

from collective.maildrophost.engine.message import Lane
from collective.maildrophost.engine.queue import (
    State,
    held_lanes,
    hold_lane,
    prepare,
    release_lane,
    tables,
)

MAIL = "Subject: typed\n\nhello\n"
BATCH = "b" * 32
BEGINS = {
    "retry": State.FAILED,
    "hold": State.QUEUED,
    "release": State.HELD,
    "delete": State.QUEUED,
    "release batch": State.PREPARED,
    "discard batch": State.PREPARED,
    "check": State.QUEUED,
}
ENDS = {
    "retry": (State.FAILED, State.SENT),
    "hold": (State.SENT, State.HELD),
    "release": (State.HELD, State.SENT),
    "delete": (State.SENT, None),
    "release batch": (State.PREPARED, State.SENT),
    "discard batch": (State.PREPARED, None),
    "check": (State.SENT, State.SENT),
}
"""What becomes of the mail when the action was not done, and when it was."""


def begin(house, state: State) -> str:
    """One mail in that state; its id."""
    with house.queue.write() as tx:
        (id,) = prepare(tx, BATCH, [mail("acted-on")], time.time())
        batch = BATCH if state is State.PREPARED else None
        tx.execute(tables.schedule.update().values(state=state.value, batch=batch))
        if state is State.FAILED:
            tx.execute(tables.recipient.update().values(state="failed"))
    return id


def die(house, scene: str, plan, id: str = "") -> None:
    """Do what the scene says, on a page or with `maildropctl`, and be killed."""
    on_page, action = scene.startswith("page "), scene.removeprefix("page ")
    if not on_page:
        lane = ("--lane", "normal") if action.endswith(" lane") else ()
        which = () if action == "check" else lane or (id,)
        house.die_running(plan, action.split()[0], *which)
        return
    if not all(map(importlib.util.find_spec, ("AccessControl", "plone"))):
        pytest.skip("there is no Plone")
    url = house.queue.url
    if action.endswith(" batch"):
        house.die(plan, f"proof.crash.pages:{action.split()[0]}", url, BATCH)
    elif action.endswith(" lane"):
        house.die(plan, "proof.crash.pages:hold_lane", url, action == "hold lane")
    else:
        house.die(plan, "proof.crash.pages:act_on", url, action, id)


def on_messages():
    points = [*OPERATOR, *COMMANDS]
    return [way for way in ways(points) if not way[1].endswith((" lane", "send"))]


def on_lanes():
    return [way for way in ways([*OPERATOR, *COMMANDS]) if way[1].endswith(" lane")]


@pytest.mark.parametrize(
    ("scene", "plan"), [pytest.param(*way, id=name) for name, *way in on_messages()]
)
def test_an_action_on_mail_is_done_or_not(house, relay, scene, plan):
    action = scene.removeprefix("page ")
    id = begin(house, BEGINS[action])
    die(house, scene, plan, id)
    house.settle_down()
    audit = Audit(house, relay)
    audit.check([])
    expected = ENDS[action][plan.when == AFTER]
    assert [each.state for each in house.messages()] == ([expected] if expected else [])
    assert audit.sent("acted-on") == (expected is State.SENT)


@pytest.mark.parametrize(
    ("scene", "plan"), [pytest.param(*way, id=name) for name, *way in on_lanes()]
)
def test_a_lane_is_held_or_not(house, relay, scene, plan):
    holds = scene.endswith("hold lane")
    queued(house, mail("in-the-lane"))
    if not holds:
        with house.queue.write() as tx:
            hold_lane(tx, Lane.NORMAL)
    die(house, scene, plan)
    with house.queue.write() as tx:
        assert (Lane.NORMAL in held_lanes(tx)) == (holds == (plan.when == AFTER))
        release_lane(tx, Lane.NORMAL)
    house.settle_down()
    Audit(house, relay).check(["in-the-lane"])
    assert len(relay.accepted) == 1


@pytest.mark.parametrize(
    "plan",
    [pytest.param(p, id=name) for name, scene, p in ways(COMMANDS) if scene == "send"],
)
def test_a_mail_that_was_typed_in_is_queued_or_not(house, relay, plan):
    (house.home / "input").write_text(MAIL)
    house.die_running(plan, "send", "--from", "a@example.org", "b@example.org")
    house.settle_down()
    audit = Audit(house, relay)
    audit.check(["typed"] if plan.when == AFTER else [])
    assert audit.sent("typed") == (plan.when == AFTER)
