"""A secret is in no text that somebody else wrote, however it is put there."""

from __future__ import annotations

import base64
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collective.maildrophost.engine.secrets.masking import hide

SECRET = "k4~Qx/+9%zz Ä-longer-than-a-piece"
OCTETS = SECRET.encode()


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        quote(SECRET, safe=""),
        base64.b64encode(OCTETS).decode(),
        base64.urlsafe_b64encode(OCTETS).decode(),
        base64.b64encode(b"\0me\0" + OCTETS).decode(),
        base64.b64encode(b"client:" + OCTETS + b"\1\1").decode(),
        base64.b64encode(b"id:" + OCTETS).decode(),
    ],
)
def test_a_secret_is_hidden_however_it_is_written(written):
    shown = hide(f"535 no: {written} (sorry)", [SECRET])
    assert shown.startswith("535 no: ")
    assert shown.endswith(" (sorry)")
    pieces = [written[n : n + 12] for n in range(len(written) - 12)]
    shared = [piece for piece in pieces if piece in shown]
    assert not [piece for piece in shared if piece in base64.b64encode(OCTETS).decode()]
    assert "longer" not in shown


def test_a_piece_of_a_secret_is_hidden():
    assert hide(f"no: {SECRET[:20]}", [SECRET]) == "no: ****"
    assert hide(f"no: {SECRET[9:]}!", [SECRET]) == "no: ****!"


def test_words_of_the_relay_stay():
    text = "535 5.7.8 Error: authentication failed: wrong password"
    assert hide(text, [SECRET, ""]) == text
    assert hide(text, ["E5"]) == text
    assert hide(quote_plus("a b"), ["zz"]) == "a+b"


@given(st.text(min_size=1, max_size=40), st.text(max_size=20), st.text(max_size=20))
def test_no_secret_is_ever_left(secret, before, after):
    shown = hide(before + secret + after, [secret])
    assert secret in before + after + "****" or secret not in shown.replace("****", "")
