"""Finding messages by what a person knows of them."""

from __future__ import annotations

import itertools
from dataclasses import replace
from importlib import import_module

import pytest

from collective.maildrophost.engine.message import Lane
from collective.maildrophost.engine.queue import (
    Search,
    Sort,
    State,
    delete_messages,
    find_by_message_id,
    hold_messages,
    ids_matching,
    list_messages,
    present_now,
    search,
)
from collective.maildrophost.engine.verdict import Outcome

EVERY_STATE = tuple(State)


@pytest.fixture
def found(hands):
    """The subjects of one page."""

    def subjects(limit=100, offset=0, **wanted):
        page = hands.do(search, Search(**wanted), limit, offset)
        return [record.subject for record in page.records]

    return subjects


@pytest.fixture
def scanned(monkeypatch):
    """How many of the newest messages a text is looked for in."""
    # The package has a function of that name.
    module = import_module("collective.maildrophost.engine.queue.search")
    return lambda count: monkeypatch.setattr(module, "SCANNED", count)


def test_without_a_text_everything_in_the_queue_is_found_oldest_due_first(hands, found):
    hands.send(*[hands.mail(subject=str(n), at=float(n % 7)) for n in range(30)])
    listed = [each.subject for each in hands.do(list_messages)]
    assert found() == listed
    assert found(descending=True) == listed[::-1]


def test_pages_follow_each_other_without_gaps_in_every_order(hands, found):
    lanes = itertools.cycle(Lane)
    hands.send(
        *[
            hands.mail(subject=f"{n % 5}", at=float(n % 7), lane=next(lanes))
            for n in range(30)
        ]
    )
    for sort, descending in itertools.product(Sort, [False, True]):
        order = {"sort": sort, "descending": descending}
        paged = [each for n in range(0, 32, 8) for each in found(8, n, **order)]
        assert len(paged) == 30
        assert paged == found(**order), order


@pytest.mark.parametrize(
    "text", ["anna@", "ANNA", "example.net", " anna@example.net ", "na@ex"]
)
def test_a_part_of_a_recipient_is_enough(hands, found, text):
    hands.send(
        hands.mail("b@x.org", "anna@example.net", subject="hers"),
        hands.mail("b@x.org", subject="not hers"),
    )
    assert found(text=text) == ["hers"]


def test_sender_and_subject_are_searched_too(hands, found):
    hands.send(hands.mail(subject="Invoice 17"), hands.mail(subject="other"))
    assert found(text="invoice") == ["Invoice 17"]
    assert sorted(found(text="a@x.org")) == ["Invoice 17", "other"]


def test_an_id_finds_its_message_beside_texts_with_that_number(hands, found):
    ids = hands.send(hands.mail(subject="first"), hands.mail(subject="second"))
    hands.send(hands.mail(subject=f"number {ids[0]}."))
    assert sorted(found(text=ids[0])) == ["first", f"number {ids[0]}."]


@pytest.mark.parametrize("text", ["%", "_", "/", "\\", "a%b", "' OR 1=1 --", "²"])
def test_characters_that_a_database_treats_specially_stand_for_themselves(
    hands, found, text
):
    hands.send(hands.mail(subject="plain"), hands.mail(subject=f"with {text} in it"))
    assert found(text=text) == [f"with {text} in it"]


@pytest.mark.parametrize(
    "text",
    ["\0", "a\0", "\udcff", "a" * 60_000],
    ids=["NUL", "a and NUL", "no character", "long"],
)
def test_a_text_that_no_message_can_contain_finds_none(hands, found, text):
    hands.send(hands.mail(subject="a"), hands.mail(subject="b"))
    assert found(text=text) == []
    wanted = Search(text=text)
    assert hands.do(ids_matching, wanted, 10, "0", hands.do(present_now)) == ()


def test_sent_mail_is_found_when_its_state_is_asked_for(hands, found):
    hands.send(hands.mail("anna@example.net", subject="gone"))
    hands.settle(hands.claim()[0], Outcome.SENT)
    assert found(text="anna") == []
    assert found(text="anna", states=(State.SENT,)) == ["gone"]
    assert found(text="anna", states=EVERY_STATE) == ["gone"]


def test_states_and_lane_narrow_what_is_found(hands, found):
    hands.send(
        hands.mail(subject="a", lane=Lane.BULK, at=1.0),
        hands.mail(subject="b", at=2.0),
        hands.mail(subject="c", lane=Lane.BULK, at=3.0),
    )
    hands.do(hold_messages, ["3"])
    assert found(lane=Lane.BULK) == found(lane=Lane.BULK, text="x.org") == ["a", "c"]
    assert hands.do(search, Search(lane=Lane.BULK), 1, 0).total == 2
    for sort in Sort:
        assert found(states=(State.HELD,), sort=sort) == ["c"]
    assert found(states=(State.HELD,), lane=Lane.NORMAL) == []
    assert found(states=()) == []


@pytest.mark.parametrize("text", ["", "example"])
def test_the_total_counts_all_pages_even_on_a_page_after_the_last(hands, text):
    hands.send(*[hands.mail(f"{n}@example.net") for n in range(5)], hands.mail())
    wanted = Search(text=text, sort=Sort.SUBJECT)
    expected = 5 if text else 6
    assert hands.do(search, wanted, 2, 0).total == expected
    assert hands.do(search, wanted, 2, 100).total == expected
    assert hands.do(search, Search(text=text), 0, 0).total == expected


def test_messages_are_sorted_by_what_was_asked_for(hands, found):
    hands.send(hands.mail(subject="b", at=1.0), hands.mail(subject="A", at=2.0))
    hands.send(hands.mail(subject="c" * 50, at=0.0))
    assert found(sort=Sort.SUBJECT) == ["A", "b", "c" * 50]
    assert found(sort=Sort.CREATED) == ["b", "A", "c" * 50]
    assert found(sort=Sort.SIZE, descending=True)[0] == "c" * 50
    assert found(sort=Sort.DUE)[0] == "c" * 50


def test_senders_are_sorted_without_regard_to_case(hands, found):
    hands.send(
        *[
            replace(hands.mail(subject=f"{number}"), sender=f"{name}@x.org")
            for number, name in enumerate("bCA")
        ]
    )
    assert found(sort=Sort.SENDER) == ["2", "0", "1"]


def test_messages_are_sorted_by_how_often_they_were_tried(hands, found):
    hands.send(*[hands.mail(subject=name) for name in ("tried", "new")])
    hands.settle(hands.claim(limit=1)[0], Outcome.DEFERRED, due=hands.now - 1)
    assert found(sort=Sort.ATTEMPTS) == ["new", "tried"]


def test_a_message_id_finds_the_newest_of_its_messages(hands, scanned):
    _first, second = hands.send(hands.mail(), hands.mail())
    hands.send(hands.mail(subject="other"))
    assert hands.do(find_by_message_id, "<hello@x>").id == second
    assert hands.do(find_by_message_id, "<hello@y>") is None
    scanned(1)
    assert hands.do(find_by_message_id, "<hello@x>") is None


def test_a_text_is_looked_for_in_the_newest_messages_only(hands, found, scanned):
    scanned(2)
    ids = hands.send(*[hands.mail(subject=f"letter {n}") for n in range(4)])
    for text in ("letter", "a@x.org", "b@x.org"):
        page = hands.do(search, Search(text=text), 10, 0)
        assert [each.id for each in page.records] == list(ids[2:])
        assert not page.complete
    assert found(text=ids[0]) == ["letter 0"]
    assert hands.do(search, Search(), 10, 0).complete
    hands.do(delete_messages, ids[:2])
    assert hands.do(search, Search(text="letter"), 10, 0).complete


def test_all_ids_come_in_parts_whatever_happens_to_those_before(hands):
    ids = hands.send(*[hands.mail(f"{n}@example.net") for n in range(5)], hands.mail())
    wanted = Search(text="example.net")
    there = hands.do(present_now)
    hands.send(hands.mail("later@example.net"))
    first = hands.do(ids_matching, wanted, 2, "0", there)
    hands.do(delete_messages, first)
    second = hands.do(ids_matching, wanted, 2, first[-1], there)
    third = hands.do(ids_matching, wanted, 2, second[-1], there)
    assert first + second + third == ids[:5]
    assert hands.do(ids_matching, wanted, 2, third[-1], there) == ()
