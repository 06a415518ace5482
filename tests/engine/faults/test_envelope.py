"""Rows 8 to 10: a reply to MAIL or RCPT is for that sender or recipient alone."""

from __future__ import annotations

from itertools import chain

import pytest
from engine.faults.telling import assert_relay_fault, told
from servers.scripted import Drop, Scripted
from waiting import wait_until

from collective.maildrophost.engine.queue import State

row = pytest.mark.row
EACH_WAY = pytest.mark.parametrize(
    "extensions", [("PIPELINING",), ()], ids=["pipelining", "one by one"]
)
MIXED = {
    "RCPT:later@example.org": "451 4.7.1 greylisted",
    "RCPT:never@example.org": "550 5.1.1 nobody here",
}
EVERYBODY = ("later@example.org", "yes@example.org", "never@example.org")


@row(8)
@EACH_WAY
def test_a_sender_that_is_deferred_is_tried_again(exchange, extensions):
    answers = {"MAIL": ["451 4.3.0 not now", "250 2.1.0 ok"]}
    first = exchange(answers, "b@x.org", "c@x.org", extensions=extensions)
    assert first.state == "deferred"
    assert first.told == [
        ("b", "deferred", "451 4.3.0 not now"),
        ("c", "deferred", "451 4.3.0 not now"),
    ]
    assert first.accepted == []
    assert exchange.again().state == "sent"


@row(8)
@EACH_WAY
def test_a_sender_that_is_refused_fails_the_message(exchange, extensions):
    outcome = exchange({"MAIL": "550 5.1.8 bad sender"}, extensions=extensions)
    assert outcome.state == "failed"
    assert outcome.told == [("b", "failed", "550 5.1.8 bad sender")]
    assert outcome.accepted == []
    assert exchange.site.pauses == []


@row(8)
@EACH_WAY
@pytest.mark.parametrize("reply", ["530 5.5.1 log in", "550 5.7.0 log in first"])
def test_a_login_that_is_required_is_the_relays_fault(site, extensions, reply):
    with Scripted({"MAIL": [reply, "250 ok"]}, extensions=extensions) as relay:
        site.configure(SMTP_PORT=relay.port)
        (id,) = site.send()
        assert site.once() == 1
        assert_relay_fault(site, reply, id, error=True)
        assert site.once() == 0
    assert told(site, id) == [("b", "sent", "250 2.0.0 Ok: queued")]


@row(9)
@EACH_WAY
def test_each_recipient_has_the_verdict_that_the_relay_gave_it(exchange, extensions):
    first = exchange(MIXED, *EVERYBODY, extensions=extensions)
    assert first.state == "deferred"
    assert first.told == [
        ("later", "deferred", "451 4.7.1 greylisted"),
        ("yes", "sent", "250 2.0.0 Ok: queued"),
        ("never", "failed", "550 5.1.1 nobody here"),
    ]
    assert [each.recipients for each in first.accepted] == [["yes@example.org"]]
    exchange.relay.follow()
    second = exchange.again()
    assert second.state == "failed"
    assert second.told[3:] == [("later", "sent", "250 2.0.0 Ok: queued")]
    assert second.accepted[-1].recipients == ["later@example.org"]
    assert len(second.accepted) == 2
    assert not second.record.possible_duplicate


@row(9)
@EACH_WAY
def test_the_accepted_share_what_the_relay_says_of_the_content(exchange, extensions):
    answers = {**MIXED, "END": "554 5.6.0 looks like spam"}
    outcome = exchange(answers, *EVERYBODY, extensions=extensions)
    assert outcome.told == [
        ("later", "deferred", "451 4.7.1 greylisted"),
        ("yes", "failed", "554 5.6.0 looks like spam"),
        ("never", "failed", "550 5.1.1 nobody here"),
    ]


def takes(most, everybody, reply, extensions):
    """Answers of a relay that has `reply` for more than `most` at a time."""

    def refusals(n):
        # Without pipelining it is offered only the first one that is too many.
        return n // most if extensions else int(n > 0 and n % most == 0)

    return {
        f"RCPT:{each}": [reply] * refusals(n) + ["250 2.1.5 ok"]
        for n, each in enumerate(everybody)
    }


@row(10)
@EACH_WAY
@pytest.mark.parametrize("reply", ["452 4.5.3 too many", "552 5.5.3 too many"])
def test_a_relay_that_takes_few_recipients_at_once_gets_the_rest_at_once(
    exchange, extensions, reply
):
    everybody = [f"r{n}@example.org" for n in range(7)]
    answers = takes(3, everybody, reply, extensions)
    exchange.begin(answers, *everybody, extensions=extensions)
    exchange.relay.wait_for(3)
    record = exchange.site.wait_for(exchange.id, State.SENT)
    assert [each.recipients for each in exchange.relay.accepted] == [
        everybody[:3],
        everybody[3:6],
        everybody[6:],
    ]
    # Those who were not tried had no attempt, and did not wait for an hour.
    assert [each.attempts for each in record.recipients] == [1] * 7
    assert len({each[0] for each in told(exchange.site, exchange.id)}) == 7


@row(9)
@row(10)
@EACH_WAY
def test_a_deferred_recipient_is_not_tried_again_with_the_rest(exchange, extensions):
    everybody = [f"r{n}@example.org" for n in range(5)]
    answers = takes(1, everybody, "452 4.5.3 too many", extensions)
    answers["RCPT:later@example.org"] = ["450 4.2.1 greylisted", "250 2.1.5 ok"]
    exchange.begin(answers, "later@example.org", *everybody, extensions=extensions)
    wait_until(lambda: len(told(exchange.site, exchange.id)) == 6, what="all verdicts")
    record = exchange.site.message(exchange.id)
    assert record.state is State.DEFERRED
    # The wait of an hour is the first one, whatever the others took.
    assert 3600 <= record.due - record.created < 2 * 3600
    assert [each.recipients for each in exchange.relay.accepted] == [
        [each] for each in everybody
    ]
    later = record.recipients[0]
    assert (later.reply, later.attempts) == ("450 4.2.1 greylisted", 1)
    assert exchange.again().state == "sent"
    assert exchange.relay.accepted[-1].recipients == ["later@example.org"]


@row(10)
def test_a_first_recipient_that_is_too_many_is_only_deferred(exchange):
    outcome = exchange({"RCPT": "452 4.5.3 too many"}, "b@x.org", "c@x.org")
    assert outcome.state == "deferred"
    assert {each[1:] for each in outcome.told} == {("deferred", "452 4.5.3 too many")}


class TakesFew(Scripted):
    """Has another answer for each recipient over the `most` of a transaction."""

    def __init__(self, most, beyond, **options):
        super().__init__(**options)
        self.most, self.beyond = most, beyond

    def answer(self, name, address, default):
        if name == "MAIL":
            self.offered = 0
        if name == "RCPT":
            self.offered += 1
            if self.offered > self.most:
                return self.beyond
        return super().answer(name, address, default)

    @property
    def shares(self):
        return [each.recipients for each in self.accepted]

    @property
    def offers(self):
        commands = [each for talk in self.conversations for each in talk.commands]
        return sum(each.startswith("RCPT") for each in commands)

    @property
    def served(self):
        return list(chain.from_iterable(self.shares))


@row(10)
@EACH_WAY
def test_a_relay_that_ends_the_session_at_101_recipients_is_never_offered_so_many(
    site, make_mail, extensions
):
    everybody = [f"r{n}@example.org" for n in range(350)]
    ends = Drop(b"421 4.7.0 too many errors\r\n")
    with TakesFew(100, ends, extensions=extensions) as relay:
        site.configure(SMTP_PORT=relay.port)
        (id,) = site.send(make_mail(*everybody))
        assert site.once() == 0
    record = site.message(id)
    assert record.state is State.SENT
    assert not record.possible_duplicate
    assert [each.attempts for each in record.recipients] == [1] * 350
    assert [len(each) for each in relay.shares] == [100, 100, 100, 50]
    assert relay.served == everybody
    assert relay.offers == 350


@row(10)
@pytest.mark.parametrize(
    ("extensions", "offers"),
    # Beyond each share: what had left with it, or the one that was refused.
    [(("PIPELINING",), 100 + 100 + 100 + 100 + 80 + 40), ((), 5 * 41 + 40)],
    ids=["pipelining", "one by one"],
)
def test_the_recipients_that_are_left_are_not_all_offered_each_time(
    site, make_mail, extensions, offers
):
    everybody = [f"r{n}@example.org" for n in range(240)]
    full = "452 4.5.3 too many recipients"
    with TakesFew(40, full, extensions=extensions) as relay:
        site.configure(SMTP_PORT=relay.port)
        (id,) = site.send(make_mail(*everybody))
        assert site.once() == 0
    assert site.message(id).state is State.SENT
    assert relay.served == everybody
    assert relay.offers == offers


class EndsAtErrors(Scripted):
    """Ends the session at a transaction's fourth refusal, as Postfix at the 20th."""

    def answer(self, name, address, default):
        if name == "MAIL":
            self.errors = 0
        if name == "RCPT" and address.startswith("later"):
            self.errors += 1
            if self.errors > 3:
                return Drop(b"421 4.7.0 Error: too many errors\r\n")
            return "450 4.1.2 no such domain"
        return super().answer(name, address, default)


@row(9)
@row(12)
@EACH_WAY
def test_recipients_that_are_always_deferred_keep_no_other_from_the_mail(
    site, make_mail, extensions
):
    later = [f"later{n}@x.org" for n in range(5)]
    with EndsAtErrors(extensions=extensions) as relay:
        site.configure(
            SMTP_PORT=relay.port, MAILDROP_RETRY_MIN=0.1, MAILDROP_RETRY_MAX=0.2
        )
        with site.daemon():
            site.send(make_mail(*later, "b@x.org"))
            (taken,) = relay.wait_for(1)
    assert taken.recipients == ["b@x.org"]
