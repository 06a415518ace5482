"""After the clock was set back no mail waits longer than it should."""

from __future__ import annotations

import pytest

from collective.maildrophost.engine.large import LARGE_OCTETS
from collective.maildrophost.engine.queue import (
    State,
    give_back_last,
    hold_messages,
    import_mail,
    prepare,
    pull_back,
    put_off_large,
    release_messages,
    retire,
    retry_messages,
    setback,
)
from collective.maildrophost.engine.verdict import Outcome

DAYS = 86400.0 * 3
LONGEST = 4000.0


@pytest.fixture
def set_back(hands, queue, monkeypatch):
    """Set the clock back by three days; the number of messages that it concerned."""
    # A server's, too.
    monkeypatch.setattr(setback, "moment", lambda tx, now: now)

    def go() -> int:
        hands.now -= DAYS
        return pull_back(queue, hands.now, LONGEST)

    return go


def test_mail_for_no_time_of_its_own_is_due(hands, set_back):
    ids = hands.send(hands.mail(), hands.mail(subject="other"))
    assert set_back() == 2
    assert {hands.message(id).due for id in ids} == {hands.now}
    assert len(hands.claim()) == 2


@pytest.mark.parametrize("in_time", [0.0, 7200.0])
def test_mail_for_a_certain_time_keeps_it(hands, set_back, in_time):
    at = hands.now + 1 + in_time
    (id,) = hands.send(hands.mail(at=at))
    assert set_back() == 0
    assert hands.message(id).due == at


def test_a_time_that_was_over_by_the_old_clock_may_still_come(hands, set_back):
    at = hands.now - DAYS / 2
    (id,) = hands.send(hands.mail(at=at))
    assert set_back() == 0
    assert hands.message(id).due == at


def test_a_retry_is_due(hands, set_back):
    (id,) = hands.send()
    hands.settle(hands.claim()[0], Outcome.DEFERRED, due=hands.now + LONGEST)
    assert set_back() == 1
    assert hands.message(id).due == hands.now


def test_a_retry_that_lies_within_the_policy_keeps_its_time(hands, queue):
    (id,) = hands.send()
    hands.settle(hands.claim()[0], Outcome.DEFERRED, due=hands.now + LONGEST)
    assert pull_back(queue, hands.now, LONGEST) == 0
    assert hands.message(id).due == hands.now + LONGEST


def test_what_is_queued_meanwhile_is_not_from_the_future(hands, queue):
    """The clock was read, then somebody committed, then the queue was searched."""
    hands.now += 0.5
    (sent, tried) = hands.send(hands.mail(), hands.mail(subject="other"))
    hands.settle(hands.claim()[1], Outcome.DEFERRED, due=hands.now + LONGEST)
    found = [hands.message(id) for id in (sent, tried)]
    assert pull_back(queue, hands.now - 0.5, LONGEST) == 0
    assert [hands.message(id) for id in (sent, tried)] == found


def test_a_retry_by_hand_is_due(hands, set_back):
    (id,) = hands.send()
    hands.settle(hands.claim()[0], Outcome.FAILED)
    hands.do(retry_messages, [id], hands.now)
    assert set_back() == 1
    assert len(hands.claim()) == 1


def test_what_was_imported_as_failed_and_is_retried_is_due(hands, set_back):
    mail = hands.mail()
    id = hands.do(import_mail, "key", mail, hands.now, "import", "refused there")
    hands.now += 60
    hands.do(retry_messages, [id], hands.now)
    assert hands.message(id).due == hands.now
    assert set_back() == 1
    assert len(hands.claim()) == 1


def test_what_went_behind_the_others_is_due(hands, set_back):
    hands.send(hands.mail(subject="suspect"))
    hands.now += 5
    hands.send(hands.mail(subject="other"))
    (suspect,) = hands.claim(limit=1)
    hands.do(give_back_last, "one", [suspect.key], hands.now)
    assert hands.message(suspect.id).due > hands.now
    assert set_back() == 2
    assert len(hands.claim()) == 2


@pytest.fixture
def put_off(hands):
    """A large mail that waits half an hour, for it may have had two daemons killed."""
    mail = hands.mail(octets=LARGE_OCTETS)
    (id,) = hands.send(mail)
    for owner in ("dead before", "dead"):
        hands.claim(owner)
        hands.do(put_off_large, owner, hands.now)
        hands.do(retire, owner)
        hands.now += 1800
    hands.now -= 1800
    assert hands.message(id).due == hands.now + 1800
    return id


def test_what_was_put_off_is_due(hands, set_back, put_off):
    assert set_back() == 1
    assert len(hands.claim()) == 1


@pytest.mark.parametrize("longest", [600.0, LONGEST])
def test_what_was_put_off_goes_on_waiting_while_the_clock_is_right(
    hands, queue, put_off, longest
):
    """Every daemon looks as it starts: the mail would have it killed as well."""
    due = hands.message(put_off).due
    assert pull_back(queue, hands.now, longest) == 0
    assert hands.message(put_off).due == due


@pytest.mark.parametrize(("octets", "duplicate"), [(0, True), (LARGE_OCTETS, False)])
def test_a_retry_is_not_taken_for_what_was_put_off(hands, queue, octets, duplicate):
    (id,) = hands.send(hands.mail(octets=octets))
    in_time = {"due": hands.now + 1800, "duplicate": duplicate}
    hands.settle(hands.claim()[0], Outcome.DEFERRED, **in_time)
    assert pull_back(queue, hands.now, 600.0) == 1
    assert hands.message(id).due == hands.now


def test_large_mail_from_the_future_is_not_taken_for_what_was_put_off(hands, queue):
    hands.now += 1800
    (id,) = hands.send(hands.mail(octets=LARGE_OCTETS))
    hands.claim("dead")
    hands.do(retire, "dead")
    hands.now -= 1800
    assert hands.message(id).possible_duplicate
    assert pull_back(queue, hands.now, LONGEST) == 1
    assert hands.message(id).due == hands.now


def test_a_lifetime_begins_now_at_the_latest(hands, set_back):
    hands.send()
    assert set_back() == 1
    assert hands.claim()[0].since == hands.now


def test_a_clock_that_is_behind_all_others_makes_no_mail_old(hands, queue, monkeypatch):
    """Another daemon would give it up at the next 4xx: its lifetime would be over."""
    hands.send()
    agreed = hands.now
    monkeypatch.setattr(setback, "moment", lambda tx, now: agreed)
    hands.now -= DAYS
    assert pull_back(queue, hands.now, LONGEST) == 1
    (claimed,) = hands.claim()
    assert (claimed.due, claimed.since) == (hands.now, agreed)


def test_mail_that_was_pulled_back_is_pulled_back_again_by_a_clock_further_behind(
    hands, queue, monkeypatch
):
    (id,) = hands.send()
    agreed = hands.now
    monkeypatch.setattr(setback, "moment", lambda tx, now: agreed)
    for _slower in range(2):
        hands.now -= DAYS
        assert pull_back(queue, hands.now, LONGEST) == 1
        assert hands.message(id).due == hands.now
    (claimed,) = hands.claim()
    assert claimed.since == agreed


def test_mail_for_a_certain_time_keeps_it_where_the_servers_clock_is_ahead(
    hands, queue, monkeypatch
):
    (id,) = hands.send(hands.mail(at=hands.now + 1800))
    monkeypatch.setattr(setback, "moment", lambda tx, now: hands.now + 3600)
    assert pull_back(queue, hands.now, LONGEST) == 0
    assert hands.message(id).due == hands.now + 1800


def test_what_is_held_or_prepared_stays_so_and_then_goes_at_once(hands, set_back):
    (held,) = hands.send()
    hands.do(hold_messages, [held])
    (prepared,) = hands.do(prepare, "batch", [hands.mail(subject="other")], hands.now)
    assert set_back() == 2
    assert hands.message(held).state is State.HELD
    assert hands.message(prepared).state is State.PREPARED
    hands.do(release_messages, [held, prepared])
    assert len(hands.claim()) == 2


def test_mail_in_flight_is_pulled_back_in_case_it_comes_back(hands, set_back):
    hands.register("one")
    (id,) = hands.send()
    hands.claim("one")
    assert set_back() == 1
    assert hands.message(id).state is State.SENDING
    hands.do(retire, "one")
    assert len(hands.claim()) == 1


def test_what_has_ended_keeps_the_time_of_its_end(hands, set_back):
    (id,) = hands.send()
    hands.settle(hands.claim()[0], Outcome.SENT)
    ended = hands.message(id).due
    assert set_back() == 0
    assert hands.message(id).due == ended


def test_a_long_queue_is_pulled_back_in_parts(hands, set_back, monkeypatch):
    monkeypatch.setattr(setback, "AT_ONCE", 2)
    hands.send(*[hands.mail(subject=str(n)) for n in range(5)])
    assert set_back() == 5
    assert len(hands.claim()) == 5
