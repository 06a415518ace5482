"""When a token is good and when it is renewed: pure decisions."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from collective.maildrophost.engine.config import Secret
from collective.maildrophost.engine.tokens import AccessToken

NOW = 1000.0


def token(lifetime: float) -> AccessToken:
    return AccessToken(Secret("t0ken"), NOW, NOW + lifetime)


def test_a_token_of_an_hour_is_renewed_five_minutes_early():
    assert not token(3600).is_due(NOW + 3299)
    assert token(3600).is_due(NOW + 3300)
    assert token(3600).is_valid(NOW + 3599)
    assert not token(3600).is_valid(NOW + 3600)


def test_a_short_token_is_not_renewed_all_the_time():
    assert not token(60).is_due(NOW + 53)
    assert token(60).is_due(NOW + 54)


@given(st.floats(1, 1e6), st.floats(0, 2e6))
def test_what_is_not_due_is_valid(lifetime, age):
    each = token(lifetime)
    assert each.is_due(NOW + age) or each.is_valid(NOW + age)


def test_no_repr_shows_a_token():
    assert "t0ken" not in repr(token(60))
