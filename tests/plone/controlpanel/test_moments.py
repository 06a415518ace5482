"""Numbers, times and sizes as the site's readers write them."""

from __future__ import annotations

import time

import pytest

from collective.maildrophost.controlpanel.moments import (
    clock,
    moment,
    number,
    size,
    times_of_day,
)
from collective.maildrophost.engine.clock import LATEST_SECONDS

HOUR = 3600


@pytest.fixture
def berlin(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("first", "twice"),
    [
        # 2026-10-25: 02:00 comes again.
        (1_792_850_400, {"02:00 +0200", "02:00 +0100"}),
        # 2026-03-29: 24 hours ago it was the same time of day.
        (1_774_702_800, {"14:00 +0100", "14:00 +0200"}),
    ],
)
def test_no_two_hours_of_a_day_have_the_same_name(berlin, first, twice):
    names = times_of_day([first + number * HOUR for number in range(24)])
    assert len(set(names)) == 24
    assert {name for name in names if len(name) > 5} == twice


def test_a_time_of_day_is_short(berlin):
    assert times_of_day([1_790_000_000 // HOUR * HOUR]) == ["16:00"]


def test_the_latest_time_that_mail_may_have_is_shown(portal, berlin):
    assert moment(LATEST_SECONDS, portal.REQUEST)["text"]


@pytest.mark.parametrize("first_or_second", [0, HOUR])
def test_a_time_is_right_in_both_hours_when_the_clocks_go_back(
    portal, berlin, first_or_second
):
    half_past_two = 1_792_888_200 + first_or_second
    request = portal.REQUEST
    assert moment(half_past_two, request)["text"].endswith("02:30 AM")
    assert clock(half_past_two, request, half_past_two) == "02:30"
    assert clock(half_past_two, request, 0).endswith("02:30 AM")


@pytest.mark.parametrize(
    ("language", "text"), [("en", "4.4 kB"), ("de", "4,4 kB"), ("xx", "4.4 kB")]
)
def test_a_size_has_the_decimal_point_of_its_reader(portal, reader, language, text):
    assert size(4400, reader(language)) == text
    assert size(812, reader(language)) == "812 B"


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (999, "999 B"),
        (1000, "1.0 kB"),
        (9_970, "10 kB"),
        (999_600, "1.0 MB"),
        (12 * 10**6, "12 MB"),
        (2 * 10**12, "2000 GB"),
    ],
)
def test_a_size_has_the_largest_unit_that_fits(portal, octets, text):
    assert size(octets, portal.REQUEST) == text


@pytest.mark.parametrize(
    ("language", "text"),
    [("en", "123,456"), ("de", "123.456"), ("xx", "123,456")],
)
def test_a_number_has_the_separators_of_its_reader(portal, reader, language, text):
    assert number(123456, reader(language)) == text
    assert number(999, reader(language)) == "999"
