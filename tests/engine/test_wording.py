"""What the engine says is English, and can be translated later."""

from __future__ import annotations

import copy
import pickle

import pytest

from collective.maildrophost.engine.errors import MaildropError
from collective.maildrophost.engine.queue import QueueError, Unheard
from collective.maildrophost.engine.queueurl import QueueURL
from collective.maildrophost.engine.systemwords import reason
from collective.maildrophost.engine.wording import Wording, _, verbatim

LOCKED = _("locked for ${seconds} s", mapping={"seconds": 30})


def test_a_wording_behaves_like_its_english_text():
    assert LOCKED == "locked for 30 s"
    assert f"the queue is {LOCKED}" == "the queue is locked for 30 s"
    assert LOCKED.template == "locked for ${seconds} s"
    assert LOCKED.mapping == {"seconds": "30"}


def test_a_wording_within_a_wording_can_be_translated_by_itself():
    queue = _("${name}: ${why}", mapping={"name": "q", "why": LOCKED})
    assert queue == "q: locked for 30 s"
    assert queue.mapping["why"] is LOCKED


def test_a_value_is_not_treated_as_a_template():
    odd = _("got ${text}", mapping={"text": "${text} and ${other}"})
    assert odd == "got ${text} and ${other}"
    assert verbatim("${words}") == "${words}"


def test_a_template_whose_value_is_missing_is_a_mistake():
    with pytest.raises(KeyError):
        _("got ${text}", mapping={"texts": "1"})


def test_a_value_that_the_text_does_not_use_is_not_kept():
    assert _("no", mapping={"password": "geheim"}).mapping == {}


def test_a_value_that_hides_a_part_of_itself_is_kept_without_that_part():
    url = QueueURL("postgresql+psycopg://me:geheim@db/mail")
    shown = _("at ${url}", mapping={"url": url})
    assert "geheim" not in shown
    assert shown.mapping == {"url": "postgresql+psycopg://me:***@db/mail"}
    assert type(shown.mapping["url"]) is str


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_copy_of_a_wording_can_be_translated_as_well(again):
    whole = _("${name}: ${why}", mapping={"name": "q", "why": LOCKED})
    copied = again(whole)
    if isinstance(copied, bytes):
        copied = pickle.loads(copied)
    assert (copied, copied.template) == (whole, whole.template)
    assert copied.mapping["why"].template == LOCKED.template


def test_an_error_of_the_queue_keeps_its_wording_on_its_way_to_another_process():
    error = pickle.loads(pickle.dumps(Unheard("q", LOCKED)))
    assert str(error) == error.wording == "mail queue q: locked for 30 s"
    assert error.reason.template == LOCKED.template


def test_an_error_that_was_given_plain_words_stays_as_it_is():
    wording = MaildropError("anything").wording
    assert isinstance(wording, Wording)
    assert wording == "anything"
    assert QueueError("q", verbatim("x")).wording == "mail queue q: x"


def test_the_caution_about_an_uncertain_outcome_has_its_reason():
    caution = Unheard("q", LOCKED).caution
    assert caution == (
        "It may have been done, look before you do it again: "
        "mail queue q: locked for 30 s"
    )
    assert caution.mapping["reason"].mapping["reason"] is LOCKED


def test_a_refusal_of_the_system_without_words_is_told_by_its_kind():
    assert reason(PermissionError()) == "PermissionError"
