"""Every step that changes durable state is a crash point."""

from __future__ import annotations

from collections import Counter

from proof.crash.exempt import NO_MAIL, READS
from proof.crash.killing import operations
from proof.crash.points import DIALOGUE, POINTS, ways
from proof.crash.steps import durable_steps

from collective.maildrophost.engine.smtp.phases import Phase
from collective.maildrophost.engine.verdict import Outcome

NOTHING_CHANGES = {
    *("token", "connect", "handshake", "greeting", "starttls", "auth"),
    *("rset", "quit"),
}
"""Before the first mail of a connection, and after its last."""
NOT_IN_OUR_SOURCE = {point.step for point in DIALOGUE} | {"ZODB finish"}
POINTED = {point.step for point in POINTS} - NOT_IN_OUR_SOURCE
DONE = {each for point in POINTS for each in point.doing}
OPERATIONS = {each.split()[0] for each in DONE}


def test_every_durable_step_has_a_crash_point_or_a_reason_to_have_none():
    without = set(durable_steps()) - POINTED - set(NO_MAIL)
    assert not without, "add them to tests/proof/crash/points.py"


def test_no_crash_point_is_left_of_a_step_that_is_gone():
    assert set(durable_steps()) >= POINTED
    assert set(NO_MAIL) <= set(durable_steps())
    assert not POINTED & set(NO_MAIL)


def test_every_operation_that_changes_the_queue_is_killed_in_some_transaction():
    assert set(operations()) - READS <= OPERATIONS, "add them to points.py"
    assert set(operations()) >= READS
    assert not READS & OPERATIONS


def test_every_verdict_is_killed_while_it_is_settled():
    assert {f"settle {outcome.value}" for outcome in Outcome} <= DONE


def test_every_moment_that_changes_what_the_relay_has_is_a_crash_point():
    phases = {step.split()[-1] for step in NOT_IN_OUR_SOURCE}
    assert {each.value for each in Phase} - NOTHING_CHANGES <= phases


def test_every_way_to_die_has_a_name_of_its_own():
    names = Counter(name for name, _, _ in ways(POINTS))
    assert [name for name, count in names.items() if count > 1] == []


def test_the_steps_are_found_where_they_are():
    """One step of each shape, so that the finder is not blind."""
    assert durable_steps().keys() >= {
        "engine.delivery.books.write",
        "engine.intake.removal.Removal.remove unlink",
        "engine.queue.sqlite.backup._make link",
        "engine.queue.transfer._move 3",
        "engine.tokens.replacing.write replace",
        "transaction.datamanager.SpoolDataManager._finish_batch",
        "transaction.sending.send_now",
    }
