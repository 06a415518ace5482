"""Large mail never fills the memory, and keeps no other mail waiting."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from collective.maildrophost.engine.delivery.inflight import InFlight
from collective.maildrophost.engine.delivery.room import (
    LANE_OCTETS,
    with_one_large,
    with_room,
)
from collective.maildrophost.engine.message import Lane

MEGABYTE = 2**20
sizes = st.lists(st.one_of(st.just(0), st.integers(MEGABYTE, 100 * MEGABYTE)))


def large_among(sizes):
    return {number: octets for number, octets in enumerate(sizes) if octets}


@given(sizes, st.integers(0, 2 * LANE_OCTETS))
def test_large_mail_has_its_room_or_goes_alone(sizes, in_flight):
    large = large_among(sizes)
    chosen = list(with_room(range(len(sizes)), large, in_flight))
    more = [large[each] for each in chosen if each in large]
    fits = in_flight + sum(more) <= LANE_OCTETS
    assert not more or fits or (in_flight == 0 and len(more) == 1)


@given(sizes, st.integers(0, 2 * LANE_OCTETS))
def test_small_mail_never_waits_for_room(sizes, in_flight):
    chosen = list(with_room(range(len(sizes)), large_among(sizes), in_flight))
    small = [number for number, octets in enumerate(sizes) if not octets]
    assert [each for each in chosen if not sizes[each]] == small


@given(sizes.filter(any))
def test_with_nothing_in_flight_the_first_large_one_goes(sizes):
    """However large it is, and however much is behind it."""
    large = large_among(sizes)
    chosen = with_room(range(len(sizes)), large, in_flight=0)
    assert next(each for each in chosen if each in large) == min(large)


@given(sizes, st.integers(0, 2 * LANE_OCTETS))
def test_no_large_mail_overtakes_other_large_mail(sizes, in_flight):
    large = large_among(sizes)
    chosen = list(with_room(range(len(sizes)), large, in_flight))
    gone = [each for each in chosen if each in large]
    assert gone == sorted(large)[: len(gone)]


@given(sizes, st.integers(0, 2 * LANE_OCTETS))
def test_large_mail_that_has_room_never_waits(sizes, in_flight):
    large = large_among(sizes)
    chosen = list(with_room(range(len(sizes)), large, in_flight))
    left = [each for each in sorted(large) if each not in chosen]
    taken = in_flight + sum(large[each] for each in chosen if each in large)
    assert not left or (taken and taken + large[left[0]] > LANE_OCTETS)


@given(sizes)
def test_one_large_message_is_read_at_a_time(sizes):
    large = large_among(sizes)
    chosen = with_one_large(range(len(sizes)), large)
    assert chosen == [
        each for each in range(len(sizes)) if each not in large or each == min(large)
    ]


def test_mail_that_has_ended_leaves_its_room(claimed):
    large = claimed("b@x.org", size=3 * MEGABYTE, lane=Lane.BULK)
    small = claimed("b@x.org", size=MEGABYTE)
    both = InFlight().with_more([large, small])
    assert both.octets == {Lane.BULK: 3 * MEGABYTE}
    assert both.messages == {Lane.BULK: 1, Lane.NORMAL: 1}
    # Its content is gone by then.
    assert both.without([large.without_content()]).octets[Lane.BULK] == 0
    assert both.without([large, small]) == InFlight()
