"""@maildrop/messages: found and shown."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from addresses import MESSAGES

from collective.maildrophost.engine.message import Lane
from collective.maildrophost.engine.verdict import Outcome

# Everything here holds wherever the queue is kept.
pytestmark = pytest.mark.usefixtures("either_database")

MEMBERS = {
    "@id",
    "id",
    "state",
    "lane",
    "sender",
    "recipients",
    "size",
    "subject",
    "message_id",
    "created",
    "due",
    "attempts",
    "possible_duplicate",
}


def listed(rest, query=""):
    answer = rest.get(f"{MESSAGES}?{query}")
    assert answer.status_code == 200, answer.text
    return [each["id"] for each in answer.json()["items"]]


def test_messages_are_listed_as_the_command_line_shows_them(rest, hands):
    (id,) = hands.send(hands.mail("one@example.net", "two@example.net"))

    page = rest.get(MESSAGES).json()

    assert page["items_total"] == 1
    assert "batching" not in page
    [message] = page["items"]
    assert set(message) == MEMBERS
    assert message["id"] == id
    assert [each["address"] for each in message["recipients"]] == [
        "one@example.net",
        "two@example.net",
    ]
    assert rest.get(message["@id"]).json()["id"] == id


def test_one_message_is_shown_with_every_attempt(rest, hands):
    (id,) = hands.send(hands.mail("one@example.net", "two@example.net"))
    hands.attempt(Outcome.SENT, Outcome.DEFERRED)

    message = rest.get(f"{MESSAGES}/{id}").json()

    assert set(message) == {*MEMBERS, "history"}
    assert message["state"] == "deferred"
    replies = {each["address"]: each["reply"] for each in message["history"]}
    assert replies == {
        "one@example.net": "250 2.0.0 Ok: queued",
        "two@example.net": "450 4.2.0 greylisted, try again",
    }


@pytest.mark.parametrize("id", ["4000000000", "nonsense", "-1", "9" * 30, "%00"])
@pytest.mark.parametrize(
    ("method", "body"),
    [("GET", None), ("PATCH", {"action": "retry"}), ("DELETE", None)],
)
def test_a_message_that_is_not_there_is_not_found(rest, hands, id, method, body):
    answer = rest.request(method, f"{MESSAGES}/{id}", json=body)

    assert answer.status_code == 404
    assert answer.json()["type"] == "NotFound"


def test_a_text_is_found_in_recipient_sender_subject_and_id(rest, hands):
    first, second, third = hands.send(
        hands.mail("needle@example.net"),
        hands.mail(sender="a.needle@example.org"),
        hands.mail(subject="a Needle in the hay"),
    )
    (other,) = hands.send(hands.mail(subject="hay"))

    assert listed(rest, "text=needle") == [first, second, third]
    assert listed(rest, f"text={other}") == [other]
    assert listed(rest, "text=%25") == []


def test_an_empty_text_filters_nothing(rest, hands):
    found = list(hands.send(hands.mail(), hands.mail()))

    assert listed(rest, "text=") == found
    assert listed(rest, "text=&state=held") == []


def test_messages_are_filtered_by_states_and_lane(rest, hands):
    found = {
        state: hands.in_state(state)
        for state in ("failed", "sent", "sending", "held", "prepared")
    }
    (bulk,) = hands.send(hands.mail(lane=Lane.BULK))

    assert listed(rest, "state=failed") == [found["failed"]]
    assert listed(rest, "state=failed&state=failed") == [found["failed"]]
    assert set(listed(rest, "state=failed&state=held")) == {
        found["failed"],
        found["held"],
    }
    assert listed(rest, "state=sent") == [found["sent"]]
    assert found["sent"] not in listed(rest)
    assert listed(rest, "lane=bulk") == [bulk]


@pytest.mark.parametrize(
    "sort_on", ["due", "created", "sender", "subject", "size", "attempts"]
)
def test_messages_are_sorted_both_ways(rest, hands, sort_on):
    subjects = ["b", "a", "ccc"]
    senders = [f"{subject}@example.org" for subject in subjects]
    for subject, sender in zip(subjects, senders, strict=True):
        hands.send(hands.mail(subject=subject, sender=sender))
        hands.now += 10

    ascending = listed(rest, f"sort_on={sort_on}&sort_order=ascending")
    descending = listed(rest, f"sort_on={sort_on}&sort_order=descending")

    assert len(ascending) == 3
    assert ascending == descending[::-1]
    key = {"sender": "sender", "subject": "subject", "size": "size"}.get(sort_on, "id")
    values = [rest.get(f"{MESSAGES}/{id}").json()[key] for id in ascending]
    assert values == sorted(values)


def test_pages_are_linked_as_those_of_plone_restapi(rest, hands):
    ids = list(hands.send(*(hands.mail(subject=f"page {n}") for n in range(5))))

    first = rest.get(f"{MESSAGES}?text=page&b_size=2").json()
    links = first["batching"]
    seen, url = [], links["first"]
    while url:
        page = rest.get(url).json()
        seen += [each["id"] for each in page["items"]]
        url = page["batching"].get("next")

    assert first["items_total"] == 5
    assert seen == ids
    assert "prev" not in links
    assert parse_qs(urlsplit(links["last"]).query)["b_start"] == ["4"]
    assert parse_qs(urlsplit(links["next"]).query)["text"] == ["page"]
    assert urlsplit(first["@id"]).query == "text=page"
    back = rest.get(links["last"]).json()["batching"]["prev"]
    assert [each["id"] for each in rest.get(back).json()["items"]] == ids[2:4]


def test_there_is_nothing_beyond_the_last_page(rest, hands):
    hands.send()

    page = rest.get(f"{MESSAGES}?b_start=50").json()

    assert (page["items"], page["items_total"]) == ([], 1)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("state=broken", "prepared, queued, deferred, sending, held, failed, sent"),
        ("lane=fast", "interactive, normal, bulk"),
        ("lane=bulk&lane=normal", "more than once"),
        ("sort_on=colour", "due, created, sender, subject, size, attempts"),
        ("sort_order=up", "ascending, descending"),
        ("b_size=0", "from 1 to 1000"),
        ("b_size=1001", "from 1 to 1000"),
        ("b_size=many", "from 1 to 1000"),
        ("b_start=-1", "from 0"),
        ("b_start=99999999999999999999", "from 0"),
        pytest.param(f"b_start={'9' * 5000}", "from 0", id="a very long number"),
        ("b_size=²", "from 1 to 1000"),
        ("sate=failed", "known: text, state, lane"),
        ("state:list=failed", "known: text, state, lane"),
        ("sate=", "known: text, state, lane"),
        ("sate", "known: text, state, lane"),
        ("state=", "prepared, queued, deferred, sending, held, failed, sent"),
        ("state=failed&state=", "There is no state ''"),
        ("state", "There is no state ''"),
        ("lane=", "interactive, normal, bulk"),
        ("sort_on=", "due, created, sender, subject, size, attempts"),
        ("sort_order=", "ascending, descending"),
        ("b_size=", "from 1 to 1000"),
        ("b_start=", "from 0"),
    ],
)
def test_a_query_that_makes_no_sense_is_refused_with_the_choices(
    rest, hands, query, said
):
    answer = rest.get(f"{MESSAGES}?{query}")

    assert answer.status_code == 400
    assert answer.json()["type"] == "BadRequest"
    assert said in answer.json()["message"]
    assert "traceback" not in answer.json()


def test_the_message_comes_back_where_the_client_prefers_that(rest, hands):
    id = hands.in_state("failed")

    answer = rest.patch(
        f"{MESSAGES}/{id}",
        json={"action": "retry"},
        headers={"Prefer": "return=representation"},
    )

    assert answer.status_code == 200
    assert set(answer.json()) == MEMBERS
    assert answer.json()["state"] == "queued"


def test_what_a_mail_says_stays_text(rest, hands):
    subject = '</script><script>alert("1")</script>'
    (id,) = hands.send(hands.mail(subject=subject))

    for path in (MESSAGES, f"{MESSAGES}/{id}"):
        answer = rest.get(path)
        assert answer.headers["Content-Type"] == "application/json"
    assert rest.get(f"{MESSAGES}/{id}").json()["subject"] == subject
