"""Every lane has its turn, and none has more than its share of the connections."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collective.maildrophost.engine.delivery.lanes import (
    ROUNDS_UNTIL_OTHERS_GO_FIRST,
    choose,
    share,
    turns,
    turns_of_a_probe,
)
from collective.maildrophost.engine.message import Lane


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


@pytest.mark.parametrize(
    ("lane", "shares"),
    [
        (Lane.INTERACTIVE, [1, 2, 3, 4, 5]),
        (Lane.NORMAL, [1, 1, 2, 3, 4]),
        (Lane.BULK, [1, 1, 1, 2, 3]),
    ],
)
def test_alone_a_lane_has_all_connections_but_one_for_each_lane_before_it(lane, shares):
    assert [share(lane, concurrency, {}) for concurrency in range(1, 6)] == shares


@given(st.integers(1, 50), st.sampled_from(Lane))
def test_with_nothing_in_flight_each_lane_has_a_share(concurrency, lane):
    """Otherwise it would wait for mail that does not come."""
    assert share(lane, concurrency, {}) >= 1


@pytest.mark.parametrize(
    ("wanted", "concurrency", "chosen"),
    [(10, 10, [1, 4, 2, 3, 5, 6]), (3, 10, [1, 4, 2]), (10, 3, [1, 4])],
)
def test_in_its_turns_a_lane_gets_what_is_wanted_and_its_share_allows(
    wanted, concurrency, chosen
):
    waiting = {Lane.INTERACTIVE: [], Lane.NORMAL: [1, 2, 3], Lane.BULK: [4, 5, 6]}
    normal_first = turns(2 * ROUNDS_UNTIL_OTHERS_GO_FIRST)
    assert choose(waiting, wanted, normal_first, concurrency, {}) == chosen


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
