"""What a worker makes of it when its relay takes a message, or does not."""

from __future__ import annotations

import asyncio

import pytest

from collective.maildrophost.engine.config import RelayAddress
from collective.maildrophost.engine.delivery import results
from collective.maildrophost.engine.delivery import worker as module
from collective.maildrophost.engine.smtp import Phase, RelayFault, Result
from collective.maildrophost.engine.verdict import Outcome, Verdict

RELAY = RelayAddress("relay.example.org", 25)
SENT = Result((Verdict(Outcome.SENT, "250 2.0.0 Ok"),), answered=True)
REFUSED = Result((None,), fault=RelayFault(RELAY, Phase.MAIL, "530 5.7.0 log in"))
CLOSED = Result((None,), usable=False)


class Ledger:
    """Hands out what it is given; remembers what comes back."""

    in_doubt = False

    def __init__(self, claims):
        self.claims = list(claims)
        self.finished = []

    async def turn(self, finished):
        if finished is not None:
            self.finished.append(finished)
        return self.claims.pop(0) if self.claims else None


class Connection:
    """Answers each message with the next of `results`; `served`: those before."""

    relay = RELAY

    def __init__(self, results, served=0):
        self.results, self.served = results, served

    async def deliver(self, sender, recipients, content):
        return self.results.pop(0)


class Pool:
    """Gives its connections one after the other; the last one stays."""

    def __init__(self, *connections):
        self.connections = list(connections)
        self.given = []

    async def take(self):
        return self.connections[0]

    async def fresh(self):
        return self.connections.pop(1)

    def give(self, connection):
        self.given.append(connection)


@pytest.fixture
def work(worker):
    """Has a worker deal with claims; what came back, and the faults it has told of."""

    def work(pool, *claims):
        ledger, faults = Ledger(claims), []
        asyncio.run(worker(ledger, pool, faults.append).run())
        return ledger.finished, faults

    return work


def outcomes(finished):
    return [
        each.settlement and each.settlement.verdicts[0][1].outcome for each in finished
    ]


def test_a_message_that_was_found_to_blame_stays_so_while_it_is_deferred(work, claimed):
    """Else the relay would be at fault with it again and again."""
    odd, other = claimed("odd@x.org", id=7), claimed("b@x.org", id=8)
    pool = Pool(Connection([REFUSED, SENT, REFUSED, REFUSED]))
    finished, faults = work(pool, odd, other, odd, odd)
    assert len(faults) == 1
    assert outcomes(finished) == [
        None,
        Outcome.SENT,
        Outcome.DEFERRED,
        Outcome.DEFERRED,
    ]


def test_a_connection_that_was_closed_while_it_waited_is_replaced_at_once(
    work, claimed
):
    waited, fresh = Connection([CLOSED], served=1), Connection([SENT])
    pool = Pool(waited, fresh)
    finished, faults = work(pool, claimed("b@x.org"))
    assert outcomes(finished) == [Outcome.SENT]
    assert (faults, pool.given) == ([], [waited])


def test_a_new_connection_that_is_closed_is_not_replaced(work, claimed):
    pool = Pool(Connection([CLOSED]), Connection([SENT]))
    finished, _ = work(pool, claimed("b@x.org"))
    assert outcomes(finished) == [Outcome.DEFERRED]


OK, LATER, NO = (
    Verdict(Outcome.SENT, "250 ok"),
    Verdict(Outcome.DEFERRED, "450 later"),
    Verdict(Outcome.FAILED, "550 no"),
)


@pytest.mark.parametrize(
    ("verdicts", "worst"),
    [
        ((OK, NO), NO),
        ((NO, LATER, OK), LATER),
        ((None, OK), OK),
        ((None, None), None),
    ],
)
def test_the_worst_verdict_of_all_debug_receivers_counts(verdicts, worst):
    """Else the mail would count as sent that one of them never got."""
    assert results.worst(verdicts) == worst


@pytest.mark.parametrize(
    ("verdicts", "given_back"), [((OK, None), False), ((NO, None), True)]
)
def test_what_a_debug_receiver_has_got_is_not_given_back_at_the_end(
    worker, claimed, verdicts, given_back
):
    """The relay had no room for the other, and the stop came with the 250."""

    class Stops(Connection):
        async def deliver(self, *message):
            working.cut_short()
            return await super().deliver(*message)

        def cut_short(self):
            pass

    ledger = Ledger([claimed("b@x.org")])
    pool = Pool(Stops([Result(verdicts, answered=True)]))
    working = worker(ledger, pool)
    working._debug_receiver = ("d@x.org", "e@x.org")
    asyncio.run(working.run())
    (finished,) = ledger.finished
    assert (finished.settlement is None) is given_back


FAULT = REFUSED.fault
UNREACHED = RelayFault(RELAY, Phase.CONNECT, "no route")


@pytest.mark.parametrize(
    ("result", "shown"),
    [
        (SENT, True),
        (Result((None, OK), answered=True), True),
        (Result((OK,), answered=True, usable=False), False),
        (Result((LATER,)), False),
        (Result((None,), answered=True), False),
    ],
)
def test_only_a_verdict_of_the_relay_itself_shows_that_it_works(result, shown):
    assert module.shown_to_work(result) is shown


@pytest.mark.parametrize(
    ("result", "untried", "refused"),
    [
        (CLOSED, True, False),
        (Result((None,), possible_duplicate=True), False, False),
        (Result((None, OK), usable=False), False, False),
        (Result((None,), fault=FAULT), False, True),
        (Result((None, OK), fault=FAULT), False, False),
        (
            Result((None,), fault=UNREACHED),
            False,
            False,
        ),
    ],
)
def test_an_attempt_is_untried_where_nothing_is_known_not_even_a_fault(
    result, untried, refused
):
    assert module.untried(result) is untried
    assert module.refused_with_a_fault(result) is refused
