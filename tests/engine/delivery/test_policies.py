"""The decisions of delivery keep their bounds, whatever they are asked."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collective.maildrophost.engine.delivery.judge import settlement
from collective.maildrophost.engine.delivery.lanes import (
    ROUNDS_UNTIL_OTHERS_GO_FIRST,
    share,
    turns,
    turns_of_a_probe,
)
from collective.maildrophost.engine.delivery.notifications import NotificationPolicy
from collective.maildrophost.engine.delivery.pace import Pace
from collective.maildrophost.engine.delivery.permits import Permits
from collective.maildrophost.engine.delivery.relayhealth import (
    LONGEST_PAUSE_SECONDS,
    PausePolicy,
    RelayHealth,
)
from collective.maildrophost.engine.delivery.retry import RetryPolicy
from collective.maildrophost.engine.message import Lane
from collective.maildrophost.engine.queue import OpenRecipient, RelayPause
from collective.maildrophost.engine.verdict import Outcome, Verdict

NOW = 1_800_000_000.0
POLICY = RetryPolicy(60.0, 4000.0, 432000.0)
chances = st.floats(0, 1, exclude_max=True)


lanes = st.sampled_from(Lane)


@given(st.integers(0, 10**9), lanes, chances)
def test_a_wait_is_never_shorter_or_longer_than_configured(attempts, lane, chance):
    assert 60.0 <= POLICY.wait(attempts, lane, chance) <= 4000.0


@given(lanes)
def test_waits_double_from_the_shortest_to_the_longest(lane):
    waits = [POLICY.wait(attempts, lane, 0.0) for attempts in range(1, 10)]
    assert waits == [60, 120, 240, 480, 960, 1920, 3840, 4000, 4000]


@given(st.integers(1, 6), lanes, chances)
def test_the_jitter_spreads_a_wait_over_a_part_of_it(attempts, lane, chance):
    part = {Lane.INTERACTIVE: 0.2, Lane.NORMAL: 0.2, Lane.BULK: 0.5}[lane]
    wait = POLICY.wait(attempts, lane, 0.0)
    assert POLICY.wait(attempts, lane, chance) == min(
        4000.0, wait * (1 + part * chance)
    )


def test_a_message_lives_exactly_as_long_as_configured():
    assert not POLICY.is_over(POLICY.age(NOW, NOW + 431999.9, 1))
    assert POLICY.is_over(POLICY.age(NOW, NOW + 432000.0, 1))


def test_a_clock_that_is_a_little_behind_makes_no_message_older():
    """As with two machines on one queue, after a retry by hand of an old message."""
    assert POLICY.age(NOW + 1.0, NOW, attempts=500) == 0.0


@given(st.integers(1, 10**7), st.floats(4001, 1e10))
def test_behind_a_clock_set_back_the_age_is_that_of_the_waits(attempts, ahead):
    age = POLICY.age(NOW + ahead, NOW, attempts)
    first = [
        POLICY.wait(number, Lane.NORMAL, 0.0) for number in range(1, min(attempts, 10))
    ]
    later = max(0, attempts - 1 - len(first)) * 4000.0
    assert age == sum(first) + later


@given(
    lane=lanes,
    policy=st.builds(
        RetryPolicy, st.floats(0.1, 60), st.floats(60, 4000), st.floats(1, 1e5)
    ),
    jumps=st.lists(
        st.one_of(st.just(0.0), st.floats(-1e9, 1e9)), min_size=1, max_size=8
    ),
    chance=chances,
)
def test_however_the_clock_jumps_mail_is_given_up_in_time(lane, policy, jumps, chance):
    """True time runs on; the clock that is read jumps after each of some attempts."""
    true, clock = 0.0, NOW
    since = clock
    for attempts in itertools.count(1):
        age = policy.age(since, clock, attempts)
        if policy.is_over(age):
            break
        wait = policy.wait(attempts, lane, chance)
        assert policy.shortest_wait <= wait <= policy.longest_wait
        assert true <= LONGEST_STRETCH * policy.lifetime + 2 * policy.longest_wait
        true += wait
        clock += wait + (jumps.pop() if jumps else 0.0)


LONGEST_STRETCH = 1.5
"""Waits that nobody could measure count without the jitter they had."""


@given(
    st.integers(1, 50), st.lists(st.tuples(st.sampled_from(Lane), st.integers(0, 9)))
)
def test_the_shares_never_exceed_the_connections(concurrency, wishes):
    """However many messages of each lane want to go, in whatever order."""
    in_flight = Counter()
    for lane, wish in wishes:
        in_flight[lane] += min(wish, share(lane, concurrency, in_flight))
        others = in_flight[Lane.NORMAL] + in_flight[Lane.BULK]
        # One stays free for interactive mail, and one for normal mail.
        assert others <= max(1, concurrency - 1)
        assert in_flight[Lane.BULK] <= max(1, concurrency - 2)
        assert share(Lane.INTERACTIVE, concurrency, in_flight) == concurrency


@given(st.integers(1, 50), st.sampled_from(Lane))
def test_with_nothing_in_flight_no_lane_has_to_wait(concurrency, lane):
    assert share(lane, concurrency, {}) >= 1


@given(st.integers(0, 1000))
def test_every_round_asks_every_lane_for_all_of_its_share(number):
    assert turns(number)[-3:] == tuple((lane, None) for lane in Lane)


def test_each_lane_probes_a_faulty_relay_in_its_turn():
    orders = [turns_of_a_probe(failures) for failures in (4, 5, 6)]
    assert {order[0] for order in orders} == {(lane, None) for lane in Lane}
    assert all({lane for lane, _ in order} == set(Lane) for order in orders)


def test_interactive_goes_first_but_every_lane_has_its_turn():
    rounds = range(1, 4 * ROUNDS_UNTIL_OTHERS_GO_FIRST + 1)
    firsts = Counter(turns(number)[0] for number in rounds)
    assert firsts[(Lane.BULK, 1)] == firsts[(Lane.NORMAL, 1)] == 2
    assert firsts[(Lane.INTERACTIVE, None)] == len(rounds) - 4


def test_without_a_limit_any_number_may_start():
    assert Pace.of(0.0, 0).permits(NOW) is None
    assert Pace.of(0.0, 0).started(NOW).permits(NOW) is None


@given(st.floats(0, 100), st.integers(0, 10000), st.lists(st.floats(0, 5), max_size=50))
def test_two_mails_are_never_closer_than_the_pace(wait_interval, rate, steps):
    pace, now, starts = Pace.of(wait_interval, rate), NOW, []
    for step in steps:
        now += step
        permitted = pace.permits(now)
        if permitted:
            pace = pace.started(now)
            starts.append(now)
    least = max(wait_interval, 60 / rate if rate else 0.0)
    for before, after in itertools.pairwise(starts):
        assert after - before >= least - 1e-6


def test_a_clock_set_back_delays_no_mail_longer_than_the_pace():
    pace = Pace.of(10.0, 0).started(NOW)
    assert pace.permits(NOW + 9.9) == 0
    assert pace.permits(NOW + 10) == 1
    assert pace.permits(NOW - 3600) == 1


@given(st.floats(0.01, 100), st.floats(0.01, 10**9))
def test_who_is_told_to_wait_waits_at_most_for_the_pace(interval, seconds):
    pace = Pace.of(interval, 0).waits(NOW, seconds)
    assert pace.permits(NOW) == 0
    assert 0 < pace.remaining(NOW) <= interval + 1e-6
    assert pace.permits(NOW + interval + 1e-6) == 1


def test_pauses_double_up_to_the_longest():
    policy = PausePolicy(2.0, 300.0)
    assert [policy.seconds(n) for n in range(1, 10)] == [
        2, 4, 8, 16, 32, 64, 128, 256, 300,
    ]  # fmt: skip
    assert policy.seconds(10**9) == 300.0


def test_failures_of_many_connections_at_once_count_as_one():
    policy = PausePolicy()
    once = RelayHealth().failed("down", NOW, policy)
    assert once.failed("down", NOW + 0.1, policy) is once
    twice = once.failed("still down", NOW + 2.0, policy)
    assert (twice.failures, twice.since) == (2, NOW)
    assert twice.paused_until == NOW + 2.0 + 4.0


def test_a_paused_relay_is_tried_by_one_when_the_pause_is_over():
    paused = RelayHealth().failed("down", NOW, PausePolicy())
    assert RelayHealth().permits(3, NOW) is None
    assert paused.permits(0, NOW + 1.9) == 0
    assert paused.permits(0, NOW + 2.0) == 1
    assert paused.permits(1, NOW + 2.0) == 0


def test_a_clock_set_back_leaves_no_relay_paused_for_long():
    paused = RelayHealth().failed("down", NOW, PausePolicy())
    before = NOW - LONGEST_PAUSE_SECONDS - 10
    assert paused.permits(0, before) == 1
    # Its probe counts, and has a pause by the new time.
    again = paused.failed("still down", before, PausePolicy())
    assert (again.failures, again.since) == (2, before)
    assert again.paused_until == before + 4.0


def test_a_fault_never_began_in_the_future():
    paused = RelayHealth("down", NOW + 3600, 1).failed("down", NOW, PausePolicy())
    assert paused.since == NOW


def test_who_cannot_use_what_others_can_leaves_them_the_mail_for_longer_and_longer():
    policy, now, waits = PausePolicy(), NOW, []
    health = RelayHealth().failed("no route", now, policy)
    for _ in range(9):
        # The first time it is tried at once: the relay may be well for all by now.
        now = max(now, health.paused_until) if waits else now
        health = health.freed(now)
        assert health.good
        health = health.failed("no route", now, policy)
        waits.append(health.paused_until - now)
        assert health.freed(now + 0.1) is health
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 300]


def test_a_fault_that_only_others_have_met_contradicts_nobody():
    pause = RelayPause("relay", "down", NOW, NOW + 2.0, 1)
    assert RelayHealth().heeds(pause).freed(NOW) == RelayHealth()
    here = RelayHealth().failed("down", NOW, PausePolicy())
    assert here.heeds(pause).freed(NOW).contradicted == 1


def test_a_probe_that_is_left_to_others_is_not_put_off_beyond_the_longest_pause():
    once = RelayHealth().failed("down", NOW, PausePolicy())
    assert once.waits_longer(NOW, 3.0).paused_until == NOW + 5.0
    long = replace(once, paused_until=NOW + LONGEST_PAUSE_SECONDS)
    assert long.waits_longer(NOW, 3.0) == long


def test_the_pace_and_the_health_both_limit():
    permits = Permits(Pace.of(1.0, 0))
    assert permits.count(NOW) == 1
    permits.started(NOW, 1)
    assert permits.count(NOW + 0.5) == 0
    assert permits.wait_seconds(NOW + 0.25) == 0.75
    permits.health = RelayHealth().failed("down", NOW, PausePolicy())
    assert permits.count(NOW + 1.0) == 0
    assert permits.wait_seconds(NOW + 0.5) == 1.5


SENT = Verdict(Outcome.SENT, "250 ok")
LATER = Verdict(Outcome.DEFERRED, "450 later")


QUIET = NotificationPolicy("host", False, 0.0, "")


@pytest.fixture
def claim_of(claimed):
    """A claim whose recipients were tried as often as told."""

    def claim_of(*attempts):
        recipients = tuple(
            OpenRecipient(position, f"{position}@x.org", tries)
            for position, tries in enumerate(attempts)
        )
        return replace(claimed(), recipients=recipients)

    return claim_of


def judge(claim, *verdicts, now=NOW, chance=0.0, policy=POLICY):
    return settlement(claim, "relay:25", verdicts, False, policy, QUIET, now, chance)


def test_the_wait_grows_with_the_attempts_at_those_who_wait(claim_of):
    assert judge(claim_of(0, 5), LATER, SENT).due == NOW + 60
    assert judge(claim_of(0, 2), LATER, LATER).due == NOW + 240


def test_a_deferred_newsletter_is_spread_wider_than_other_mail(claim_of):
    claim = claim_of(0)
    bulk = replace(claim, lane=Lane.BULK)
    assert judge(claim, LATER, chance=0.5).due == NOW + 66
    assert judge(bulk, LATER, chance=0.5).due == NOW + 75


def test_who_was_not_tried_is_due_at_once(claim_of):
    judged = judge(claim_of(0, 0), SENT, None)
    assert (judged.due, judged.verdicts) == (NOW, ((0, SENT),))


def test_who_was_not_tried_goes_before_those_that_were(claim_of):
    again = replace(claim_of(0, 3, 0), again=True)
    assert judge(again, LATER, None, None).others_first
    assert judge(replace(again, more=True), LATER, LATER, LATER).others_first
    assert not judge(again, LATER, LATER, LATER).others_first
    # They are pending, and who is deferred has had a turn.
    assert not judge(claim_of(0, 3, 0), LATER, None, None).others_first


@pytest.mark.parametrize("verdict", [SENT, LATER])
def test_who_is_not_named_in_a_claim_is_due_at_once(claim_of, verdict):
    claim = replace(claim_of(0), more=True)
    assert judge(claim, verdict).due == NOW


@pytest.mark.parametrize("verdict", [SENT, LATER])
def test_who_was_deferred_before_the_rest_waits_by_its_own_attempts(claim_of, verdict):
    (before,) = claim_of(1).recipients
    claim = replace(claim_of(0), deferred=(before,), attempts=6)
    assert judge(claim, verdict).due == NOW + 60
    again = replace(claim, deferred=(replace(before, attempts=3),))
    assert judge(again, verdict).due == NOW + 240


def test_transactions_for_few_recipients_each_do_not_make_a_message_older(claim_of):
    # Of a message from the future nothing is known but how often it was tried.
    claim = replace(claim_of(0), attempts=500, since=NOW + 10**6)
    ((_, verdict),) = judge(claim, LATER).verdicts
    assert verdict is LATER


@pytest.mark.parametrize("tried_before", [113, 114])
def test_a_message_from_the_future_has_lived_as_long_as_its_waits(
    claim_of, tried_before
):
    claim = replace(claim_of(tried_before, 0), since=NOW + 10**6)
    waits = sum(POLICY.wait(each, Lane.NORMAL, 0.0) for each in range(1, 115))
    assert waits - 4000 < POLICY.lifetime < waits
    (_, tried), (_, other) = judge(claim, LATER, LATER).verdicts
    given_up = Outcome.FAILED if tried_before == 114 else Outcome.DEFERRED
    assert (tried.outcome, other.outcome) == (given_up, given_up)


def test_after_its_lifetime_a_deferral_is_a_failure_with_the_last_reply(claim_of):
    judged = judge(claim_of(9, 0), LATER, SENT, now=NOW + 432000)
    (_, failed), (_, sent) = judged.verdicts
    assert failed.outcome is Outcome.FAILED
    assert failed.reply == "given up after 5.0 days, at last: 450 later"
    assert sent is SENT


@pytest.mark.parametrize(
    ("lifetime", "words"),
    [
        (86400, "1.0 days"),
        (86399, "24.0 hours"),
        (5400, "1.5 hours"),
        (600, "10.0 minutes"),
        (5, "5 seconds"),
    ],
)
def test_the_end_of_a_short_lifetime_is_told_in_hours_or_less(
    lifetime, words, claim_of
):
    policy = replace(POLICY, lifetime=lifetime)
    judged = judge(claim_of(3), LATER, now=NOW + lifetime, policy=policy)
    ((_, failed),) = judged.verdicts
    assert failed.reply == f"given up after {words}, at last: 450 later"
