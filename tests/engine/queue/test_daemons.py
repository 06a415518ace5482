"""The daemons of a queue, and the lease on what they have."""

from __future__ import annotations

from collective.maildrophost.engine.queue import (
    all_daemons,
    doorbells,
    renew,
    retire,
)


def test_the_doorbells_are_those_of_all_daemons_that_have_not_retired(hands):
    hands.register("alive")
    hands.register("silent", lease=-1.0)
    hands.register("retired")
    hands.do(retire, "retired")
    assert set(hands.do(doorbells)) == {"/run/alive", "/run/silent"}


def test_a_lease_is_renewed_only_while_the_row_is_there(hands):
    hands.register("one")
    assert hands.do(renew, "one", hands.now + 30, 60.0, "other:25")
    (row,) = hands.do(all_daemons)
    assert (row.seen, row.relay) == (hands.now + 30, "other:25")
    assert row.alive(hands.now + 89)
    assert not row.alive(hands.now + 90)
    hands.do(retire, "one")
    assert not hands.do(renew, "one", hands.now + 30, 60.0, "other:25")


def test_a_daemon_that_retires_gives_its_claims_back(hands):
    hands.register("one")
    (id,) = hands.send()
    hands.claim("one")
    hands.do(retire, "one")
    assert hands.message(id).possible_duplicate
    assert hands.do(all_daemons) == []
