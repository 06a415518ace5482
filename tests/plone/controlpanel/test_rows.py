"""What the pages show of a message with several recipients."""

from __future__ import annotations

import re

import pytest

from collective.maildrophost.controlpanel import message
from collective.maildrophost.engine.verdict import Outcome, Verdict

TAKEN = Verdict(Outcome.SENT, "250 2.0.0 Ok: queued")
REFUSED = Verdict(Outcome.FAILED, "550 5.1.1 no such user")
LATER = Verdict(Outcome.DEFERRED, "450 4.2.0 greylisted")


@pytest.mark.parametrize(
    ("verdicts", "words", "first"),
    [
        ((TAKEN, REFUSED), REFUSED.reply, "number1"),
        ((TAKEN, LATER), LATER.reply, "number1"),
        ((TAKEN, LATER, REFUSED), REFUSED.reply, "number2"),
        ((TAKEN,) * 4 + (REFUSED,), REFUSED.reply, "number4"),
    ],
)
def test_the_reply_shown_is_the_one_that_explains_the_state(
    panel, tried, verdicts, words, first
):
    tried(*verdicts)
    panel.open("queue")
    assert words in panel.text
    assert TAKEN.reply not in panel.text
    shown = panel.text.index(f"{first}@example.org")
    assert "@example.org" not in panel.text[panel.text.index(" hi ") : shown]


def test_a_page_shows_only_some_of_very_many_recipients(panel, tried, monkeypatch):
    monkeypatch.setattr(message, "MOST_SHOWN", 2)
    id = tried(TAKEN, TAKEN, TAKEN, REFUSED)
    page = panel.open("message", id=id)
    assert page.count('<strong class="text-break">') == 2
    assert "number3@example.org Failed" in panel.text
    assert f"Not shown here: 2 . All are shown by maildropctl show {id}" in panel.text
    assert "because they are older: 2 ." in panel.text


def test_a_page_shows_all_of_a_few_recipients(panel, tried):
    panel.open("message", id=tried(TAKEN, REFUSED))
    assert "Not shown here" not in panel.text


@pytest.mark.parametrize(
    ("verdict", "said"), [(TAKEN, "Sent at"), (REFUSED, "Failed at"), (LATER, "Due")]
)
def test_the_time_of_a_message_is_labelled_by_what_happened_then(
    panel, tried, verdict, said
):
    panel.open("message", id=tried(verdict))
    titles = re.findall("<dt>([^<]*)</dt>", panel.browser.contents)
    assert {"Sent at", "Failed at", "Due"} & set(titles) == {said}
