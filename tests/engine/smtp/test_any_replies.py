"""Whatever a relay says, it ends in verdicts, a session or a fault."""

from __future__ import annotations

from contextlib import suppress

import pytest
from engine.smtp.driving import drive, session
from engine.smtp.transactions import TWO, words
from hypothesis import given, settings
from hypothesis import strategies as st

from collective.maildrophost.engine.config import Secret
from collective.maildrophost.engine.smtp import Login, RelayFault, Security
from collective.maildrophost.engine.smtp.opening import open_session
from collective.maildrophost.engine.smtp.transaction import deliver

SAYINGS = st.sampled_from(
    [
        b"250 ok\r\n",
        b"250 2.0.0 ok\r\n250 2.0.0 ok\r\n",
        b"250-more\r\n",
        b"354 go\r\n",
        b"550 5.1.1 no\r\n",
        b"450 4.2.0 later\r\n",
        b"452 4.5.3 too many\r\n",
        b"421 bye\r\n",
        b"530 5.7.0 login\r\n",
        b"503 what\r\n",
        b"220 hi\r\n",
        b"334 \r\n",
        b"\r\n",
        b"2",
        b"50 ok\r\n",
        b"\xff\xfe\0\r\n",
    ]
)


@settings(max_examples=600)
@given(
    chunks=st.lists(SAYINGS | st.binary(max_size=12), max_size=16),
    keywords=st.sets(st.sampled_from(["PIPELINING", "SIZE", "8BITMIME"])),
    hasty=st.lists(st.booleans(), max_size=8),
    served=st.integers(0, 1),
    reset_due=st.booleans(),
    size=st.sampled_from([10, 200_000]),
)
def test_whatever_a_relay_says_ends_in_verdicts_and_never_a_false_sent(
    chunks, keywords, hasty, served, reset_due, size
):
    talk = session(*keywords, served=served, reset_due=reset_due)
    content = b"x" * size
    done = drive(
        deliver(talk, "a@x.org", [*TWO, "d@x.org"], content),
        talk.replies,
        chunks,
        hasty,
    )
    outcomes = words(done.result)
    if not served and done.result.fault is None:
        assert any(outcomes), "sending again at once would never end"
    if "sent" in outcomes:
        written = b"".join(done.writes)
        assert written.endswith(content + b"\r\n.\r\n")
        assert done.count > done.heard[-1], "nothing was heard after the last dot"
        assert b"354" in b"".join(chunks[: done.heard[-1]])
    if done.result.possible_duplicate:
        assert done.writes[-1].endswith(b"\r\n.\r\n")
        assert "sent" not in outcomes


@settings(max_examples=300)
@given(
    chunks=st.lists(
        SAYINGS
        | st.sampled_from(
            [b"250-x\r\n250 STARTTLS\r\n", b"250-x\r\n250 AUTH LOGIN\r\n"]
        )
        | st.binary(max_size=12),
        max_size=12,
    ),
    tls=st.integers(0, 2),
    log_in=st.booleans(),
)
def test_whatever_a_relay_says_opening_ends_in_a_session_or_a_fault(
    chunks, tls, log_in
):
    talk = session(loopback=True)
    login = Login("me", Secret("pw")) if log_in else None
    procedure = open_session(talk, Security(tls=tls), login, "client.test")
    done = None
    with suppress(RelayFault):
        done = drive(procedure, talk.replies, chunks)
    if done is None:
        return
    assert done.writes[0] == b"EHLO client.test\r\n"
    assert talk.encrypted or tls != 2
    assert not log_in or b"AUTH " in b"".join(done.writes)


def test_a_relay_that_challenges_forever_is_at_fault():
    talk = session(loopback=True)
    procedure = open_session(talk, Security(), Login("me", Secret("pw")), "client.test")
    chunks = [b"220 x\r\n", b"250-x\r\n250 AUTH PLAIN\r\n", *[b"334 \r\n"] * 100]
    with pytest.raises(RelayFault) as raised:
        drive(procedure, talk.replies, chunks)
    assert raised.value.permanent
