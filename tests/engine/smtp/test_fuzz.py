"""Whatever a relay says ends in verdicts, and none says "sent" that is not.

`make fuzz` runs the same for minutes: --hypothesis-profile=fuzz tries far more.
"""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace

from engine.smtp.driving import RELAY
from engine.smtp.fuzzing import Noise, Relay, Talk
from engine.smtp.judging import judge
from hypothesis import given, settings
from hypothesis import strategies as st

from collective.maildrophost.engine.config import Secret
from collective.maildrophost.engine.smtp import Login, RelayFault, Security
from collective.maildrophost.engine.smtp.content import BLOCK_OCTETS
from collective.maildrophost.engine.smtp.opening import open_session
from collective.maildrophost.engine.smtp.replies import MalformedReply, Replies
from collective.maildrophost.engine.smtp.session import Session
from collective.maildrophost.engine.smtp.transaction import deliver

many = settings(max_examples=6 * settings.default.max_examples, deadline=None)


class Large(bytes):
    """Content of several blocks that a report of hypothesis need not show."""

    def __repr__(self) -> str:
        return "LARGE"


LARGE = Large(b"a\n" * BLOCK_OCTETS)
MAILS = st.lists(
    st.builds(
        SimpleNamespace,
        sender=st.sampled_from(
            ["a@example.org"] * 4 + ["", "ä@example.org", "bad\r\n"]
        ),
        recipients=st.lists(
            st.sampled_from(
                ["b@x.org", "c@x.org", "d@x.org", "e@x.org", "ü@x.org", "f\r\nRSET"]
            ),
            min_size=1,
            max_size=5,
            unique=True,
        ),
        content=st.sampled_from(
            [
                b"",
                b"Subject: x\r\n\r\nbody\r\n",
                b".\n..\n\r.\r",
                LARGE,
                b"\xff\n",
            ]
        )
        | st.binary(max_size=20),
    ),
    min_size=1,
    max_size=3,
)
KEYWORDS = st.sets(
    st.sampled_from(
        [
            "PIPELINING",
            "SIZE",
            "SIZE 100000",
            "8BITMIME",
            "SMTPUTF8",
            "STARTTLS",
            "AUTH PLAIN",
            "AUTH LOGIN",
        ]
    )
)
SURROUNDINGS = st.fixed_dictionaries(
    {
        "cut": st.sampled_from([1, 2, 3, 7, 1 << 20]),
        "hurries": st.lists(st.sampled_from(["", "", "", "heard", "blocked"])),
    }
)

SERVED = [200, 220, 221, 235, 250, 251, 252, 299, 334, 354, 399]
REFUSED = [421, 450, 451, 452, 500, 502, 503, 530, 535, 550, 552, 554]
CODES = st.sampled_from(SERVED + REFUSED)
TEXTS = st.sampled_from(
    ["", " ok", " 2.0.0 ok", " 4.5.3 many", " 5.7.0 login", " 5.1.1 no", " \xff\0"]
)
ONE_REPLY = st.builds(
    lambda code, text, more: b"".join(
        f"{code}{mark}{text[1:]}\r\n".encode("latin-1") for mark in [*"-" * more, " "]
    ),
    CODES,
    TEXTS,
    st.sampled_from([0, 0, 0, 1, 2]),
)
GARBAGE = st.sampled_from(
    [
        b"",
        b"\r\n",
        b"\n",
        b"25",
        b"250",
        b"250-half\r\n",
        b"250-a\r\n251 b\r\n",
        b"150 no\r\n",
        b"999 no\r\n",
        b"HTTP/1.1 400\r\n",
        b"250 " + b"x" * 5000 + b"\r\n",
        b"250-x\r\n" * 300,
        b"\x16\x03\x01",
    ]
) | st.binary(max_size=8)
TOO_SOON = st.sampled_from(
    [
        b"354 go\r\n250 2.0.0 queued already\r\n",
        b"250 ok\r\n354 go\r\n",
        b"250 ok\r\n250 ok\r\n",
        b"250 ok\r\n550 5.1.1 no\r\n",
    ]
)
STRANGE = st.one_of(
    ONE_REPLY,
    TOO_SOON,
    GARBAGE,
    st.lists(ONE_REPLY, min_size=2, max_size=4).map(b"".join),
    st.tuples(ONE_REPLY, GARBAGE).map(b"".join),
)


# Sessions that begin well and bring a refusal now and then get furthest.
PLAUSIBLE = st.lists(
    st.sampled_from(
        [None] * 16
        + [
            b"250 2.0.0 ok\r\n",
            b"354 go\r\n",
            b"421 4.3.2 bye\r\n",
            b"450 4.2.0 later\r\n",
            b"452 4.5.3 too many\r\n",
            b"503 5.5.1 what?\r\n",
            b"530 5.7.0 login\r\n",
            b"550-5.1.1 not\r\n550 5.1.1 here\r\n",
            b"552 too many\r\n",
        ]
    ),
    min_size=4,
    max_size=16,
).map(lambda later: [None, None, *later])


def answers(deviations):
    """The usual answer (None) everywhere but at the given places."""
    at = dict(deviations)
    return [at.get(place) for place in range(max(at, default=0) + 1)]


ANSWERS = st.one_of(
    PLAUSIBLE,
    PLAUSIBLE,
    PLAUSIBLE,
    st.lists(st.tuples(st.integers(2, 7), TOO_SOON), max_size=2).map(answers),
    st.lists(st.tuples(st.integers(0, 24), STRANGE), max_size=4).map(answers),
    st.lists(st.none() | ONE_REPLY | STRANGE, max_size=24),
)
RELAYS = st.builds(
    Relay, KEYWORDS, ANSWERS, st.lists(st.just(b"") | ONE_REPLY | GARBAGE, max_size=3)
)
NOISE = st.builds(Noise, st.lists(STRANGE | st.binary(max_size=40), max_size=30))


def converse(relay, mails, security=None, login=None, **surroundings):
    """Open, deliver every mail while the connection is usable, close."""
    session = Session(RELAY, loopback=True)
    talk = Talk(relay, session.replies, **surroundings)
    talk.session = session
    talk.attempts, talk.fault = [], ""
    try:
        talk.run(open_session(session, security or Security(), login, "client.test"))
    except RelayFault as fault:
        talk.fault = str(fault)
        return talk
    usable = True
    for mail in mails:
        if not usable or session.replies.pending:
            break
        reused = session.served > 0
        before = talk.steps
        result = talk.run(deliver(session, mail.sender, mail.recipients, mail.content))
        blocks = len(mail.content) // BLOCK_OCTETS + 2
        most = 2 * (len(mail.recipients) + 5) + blocks
        assert talk.steps - before <= most, "the relay holds the client up"
        talk.attempts.append((talk.calls, mail, reused, result))
        usable = result.usable
    if usable and not session.replies.pending:
        talk.run(session.quit())
    return talk


@many
@given(RELAYS, MAILS, SURROUNDINGS)
def test_a_relay_that_answers_strangely(relay, mails, surroundings):
    judge(converse(relay, mails, **surroundings))


@many
@given(NOISE, MAILS, SURROUNDINGS)
def test_a_relay_that_makes_noise(relay, mails, surroundings):
    judge(converse(relay, mails, **surroundings))


@many
@given(
    RELAYS | NOISE,
    st.builds(Security, st.integers(0, 2)),
    st.none() | st.builds(Login, st.just("me"), st.just(Secret("pa55"))),
    SURROUNDINGS,
)
def test_a_relay_that_opens_strangely(relay, security, login, surroundings):
    mail = SimpleNamespace(
        sender="a@example.org", recipients=["b@x.org"], content=b"x\n"
    )
    talk = converse(relay, [mail], security, login, **surroundings)
    assert talk.steps <= 60, "the relay holds the client up"
    assert talk.fault.isprintable()
    assert "pa55" not in talk.fault
    judge(talk)


@many
@given(RELAYS, st.data())
def test_where_the_network_cuts_decides_nothing(relay, data):
    stream = b"".join([*relay.said, data.draw(GARBAGE), data.draw(STRANGE)])
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=8))
    pieces = [stream[a:b] for a, b in pairwise([0, *sorted(cuts), len(stream)])]
    assert read(pieces) == read([stream]) == read(bytes([o]) for o in stream)


def read(pieces):
    """The replies, and how it ends: pending, quiet, or what is malformed."""
    replies, taken = Replies(), []
    for piece in pieces:
        replies.feed(piece)
        try:
            while (reply := replies.take()) is not None:
                taken.append(reply)
        except MalformedReply as malformed:
            return taken, str(malformed)
    return taken, replies.pending
