"""Promises about times as text."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collective.maildrophost.engine.clock import parse_rfc3339, rfc3339


def test_a_time_is_written_in_utc_to_the_millisecond():
    assert rfc3339(1795426200.1234) == "2026-11-23T09:30:00.123Z"
    assert rfc3339(0) == "1970-01-01T00:00:00.000Z"


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T09:30:00Z",
        "2026-11-23t09:30:00z",
        "2026-11-23 09:30:00Z",
        "2026-11-23T10:30:00+01:00",
        "2026-11-23T04:00:00-05:30",
        " 2026-11-23T09:30:00.000000000Z ",
    ],
)
def test_every_spelling_of_a_moment_is_the_same_moment(text):
    assert parse_rfc3339(text) == 1795426200.0


@pytest.mark.parametrize(
    "text", ["2016-12-31T23:59:60Z", "2017-01-01T00:59:60.0+01:00"]
)
def test_a_leap_second_is_read_as_the_second_after_it(text):
    assert rfc3339(parse_rfc3339(text)) == "2017-01-01T00:00:00.000Z"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2016-12-31T23:60:60Z",
        "2016-12-31T23:58:60Z",
        "2016-12-31T23:59:60+01:00",
        "2016-12-31T23:59:61Z",
        "tomorrow",
        "2026-11-23",
        "2026-11-23T09:30:00",
        "2026-11-23T09:30Z",
        "2026-13-23T09:30:00Z",
        "2026-11-31T09:30:00Z",
        "2026-11-23T24:30:00Z",
        "2026-11-23T09:30:00+25:00",
        "0000-11-23T09:30:00Z",
        "2026-11-23T09:30:00Zjunk",
        "2026-11-23T09:30:00.Z",
        "٢٠٢٦-11-23T09:30:00Z",
    ],
)
def test_a_text_that_is_no_moment_is_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        parse_rfc3339(text)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T24:00:00Z",
        "2026-11-23T09:60:00Z",
        "2026-13-23T09:30:00Z",
        "2026-00-23T09:30:00Z",
        "2026-11-32T09:30:00Z",
        "2026-11-23T09:30:00+00:99",
        "2026-11-23T09:30:00-24:00",
        "٢٠٢٦-11-23T09:30:00Z",
    ],
)
def test_the_refusal_of_an_impossible_time_shows_how_one_is_written(text):
    with pytest.raises(ValueError, match="is not a date and time like 2026-"):
        parse_rfc3339(text)


@given(st.floats(min_value=0, max_value=253402300799))
def test_a_written_time_reads_back_to_the_millisecond(moment):
    assert parse_rfc3339(rfc3339(moment)) == pytest.approx(moment, abs=0.00101)


@given(st.text() | st.from_regex(r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d\Z"))
def test_any_text_is_a_time_or_a_value_error(text):
    with suppress(ValueError):
        parse_rfc3339(text)
