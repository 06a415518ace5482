"""A Zope that decides about mail in doubt is killed at that: the next decides alike.

In each scene Zopes die, and one that decides about what they have left is killed at
that. Then a daemon runs, as it always does, and yet another Zope decides.
"""

from __future__ import annotations

import pytest
from proof.crash.audit import Audit
from proof.crash.killing import AFTER, BEFORE, Plan
from proof.crash.points import DOUBT, ways

from collective.maildrophost.engine.queue import State

pages = pytest.importorskip("proof.crash.pages")

PAGES = "proof.crash.pages:"
ABORT = "transaction.datamanager.SpoolDataManager._discard_batch"
SPILL = "transaction.datamanager.SpoolDataManager._prepare_unwritten"

VOTED = ("page", Plan("ZODB finish", BEFORE))
COMMITTED = ("page", Plan("ZODB finish", AFTER))
COMMITTED_NEWSLETTER = ("newsletter", Plan("ZODB finish", AFTER))
SPILLED = ("newsletter", Plan(SPILL, AFTER, nth=2))
REFUSED = ("refused_page", Plan(ABORT, BEFORE))
DEATHS = {
    "committed": [COMMITTED],
    "committed newsletter": [COMMITTED_NEWSLETTER],
    "voted": [VOTED],
    "spilled": [SPILLED],
    "refused": [REFUSED],
    "several": [VOTED, COMMITTED_NEWSLETTER, REFUSED],
    "unreleased": [],
    "undeleted": [],
}
"""The pages of a scene and where they die, one after the other."""
DECIDES = {"unreleased": "unreleased_page", "undeleted": "undeleted_page"}
"""Scenes in which a page decides about its own mail."""


@pytest.mark.parametrize(
    ("scene", "plan"), [pytest.param(*way, id=name) for name, *way in ways(DOUBT)]
)
def test_what_is_in_doubt_is_decided_once(zope, relay, database_file, scene, plan):
    for page, death in DEATHS[scene]:
        zope.die(death, PAGES + page, database_file)
    url = zope.queue.url
    zope.die(plan, PAGES + DECIDES.get(scene, "decide"), database_file, url)
    promised = set(pages.committed(database_file))
    zope.settle_down()
    assert Audit(zope, relay).all_sent <= promised
    zope.do(PAGES + "decide", database_file, url)
    zope.settle_down()
    audit = Audit(zope, relay)
    audit.check(promised)
    assert audit.all_sent == set(audit.records) == promised
    assert {each.state for each in zope.messages()} <= {State.SENT}
    assert all(audit.sent(subject) == 1 for subject in promised)
