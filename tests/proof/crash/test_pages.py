"""A Zope that is killed anywhere sends the mail of what it committed, and no other."""

from __future__ import annotations

import pytest
from proof.crash.audit import Audit
from proof.crash.killing import AFTER
from proof.crash.points import NO_ZODB, ZOPE, ways

from collective.maildrophost.engine.queue import State

pages = pytest.importorskip("proof.crash.pages")

PAGES = "proof.crash.pages:"
LAST_MOMENT = "page: before release"
"""ZODB has finished, and we have not."""


@pytest.mark.parametrize(
    ("scene", "plan"), [pytest.param(*way, id=name) for name, *way in ways(ZOPE)]
)
def test_mail_goes_only_with_its_transaction(zope, relay, database_file, scene, plan):
    zope.die(plan, PAGES + scene, database_file)
    promised = pages.committed(database_file)
    zope.do(PAGES + "decide", database_file, zope.queue.url)
    zope.settle_down()
    audit = Audit(zope, relay)
    audit.check(promised)
    assert audit.all_sent == set(promised)
    assert {each.state for each in zope.messages()} <= {State.SENT}


def test_a_zope_that_starts_again_sends_as_ever(zope, relay, database_file):
    ((_, scene, plan),) = [way for way in ways(ZOPE) if way[0] == LAST_MOMENT]
    zope.die(plan, PAGES + scene, database_file)
    zope.do(PAGES + "newsletter", database_file)
    zope.settle_down()
    audit = Audit(zope, relay)
    audit.check(pages.committed(database_file))
    assert audit.all_sent >= {f"letter-{number}" for number in range(5)}


@pytest.mark.parametrize(
    ("scene", "plan"), [pytest.param(*way, id=name) for name, *way in ways(NO_ZODB)]
)
def test_mail_that_changes_no_database_goes_once_the_queue_has_it(
    zope, relay, database_file, scene, plan
):
    if zope.queue.shared and scene == "mail_alone":
        pytest.skip("on a server it has a vote and a finish, as any other")
    zope.die(plan, PAGES + scene, database_file)
    subject = scene.removeprefix("mail_").replace("_", "-")
    zope.settle_down()
    audit = Audit(zope, relay)
    audit.check([subject] if plan.when == AFTER else [])
    assert audit.all_sent <= {subject if plan.when == AFTER else ""}
    if not zope.queue.shared:
        assert audit.sent(subject) == (plan.when == AFTER)
