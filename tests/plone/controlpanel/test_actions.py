"""What the buttons of the control panel do, for whom, and how it is asked for."""

from __future__ import annotations

import time

import pytest
from plone import api
from plone.app.testing import TEST_USER_NAME
from plone.protect import createToken
from zExceptions import Forbidden

from collective.maildrophost.engine.queue import (
    Batch,
    hold_messages,
    list_messages,
    new_batch,
    prepare,
    release,
    remember_batch,
)
from collective.maildrophost.engine.system.identity import own_identity

ACTIONS = [
    ("maildrophost-act", {"action": "delete", "scope": "all", "confirmed": "1"}),
    ("maildrophost-act", {"action": "hold", "scope": "all"}),
    ("maildrophost-lane", {"lane": "normal", "decision": "hold"}),
    ("maildrophost-send-test", {"recipient": "me@example.org"}),
    ("maildrophost-repair", {}),
    ("maildrophost-batch", {"decision": "release", "batch": "x"}),
]


@pytest.mark.parametrize(("view", "fields"), ACTIONS)
def test_nothing_is_done_without_the_token_of_our_form(
    panel, put, mail, states, view, fields
):
    put(mail())
    with pytest.raises(Forbidden):
        panel.post(view, "forged", **fields)
    assert states() == {"hello": "queued"}


@pytest.mark.parametrize(("view", "fields"), ACTIONS)
def test_nothing_is_done_by_a_link(panel, put, mail, states, view, fields):
    put(mail())
    query = "&".join(f"{name}={value}" for name, value in fields.items())
    with pytest.raises(Forbidden):
        panel.browser.open(
            f"{panel.base}/@@{view}?_authenticator={panel.token()}&{query}"
        )
    assert states() == {"hello": "queued"}


@pytest.mark.parametrize("view", dict.fromkeys(view for view, _ in ACTIONS))
def test_whoever_comes_from_the_login_is_told_that_nothing_was_done(panel, view):
    # A session was over; the login leads on to the address of the form, by a link.
    panel.browser.raiseHttpErrors = False
    panel.browser.handleErrors = True
    panel.browser.open(f"{panel.base}/@@{view}")
    assert panel.browser.headers["Status"].startswith("403")
    assert "You were not logged in any more" in panel.text


@pytest.mark.parametrize(("view", "fields"), ACTIONS)
def test_an_editor_can_do_nothing(somebody, put, mail, states, view, fields):
    put(mail())
    editor = somebody("Editor", "Member")
    # What was done would lead on to a page that asks for a login as well.
    editor.browser.followRedirects = False
    # With a token of the editor's own: only the permission is missing.
    with api.env.adopt_user(username=TEST_USER_NAME):
        token = createToken()
    editor.post(view, token, **fields)
    assert "/require_login?" in editor.browser.headers["Location"]
    assert states() == {"hello": "queued"}


def test_selected_messages_are_held_and_released(panel, put, mail, states):
    ids = put(mail("one"), mail("two"), mail("three"))
    panel.post(
        "maildrophost-act", action="hold", scope="selected", **{"ids:list": ids[:2]}
    )
    assert "Held: 2" in panel.text
    assert states() == {"one": "held", "two": "held", "three": "queued"}
    panel.post(
        "maildrophost-act", action="release", scope="selected", **{"ids:list": ids}
    )
    assert "Released: 2" in panel.text
    assert "Nothing to do, already so: 1" in panel.text
    assert "Left alone" not in panel.text
    assert set(states().values()) == {"queued"}


def test_what_cannot_be_done_is_named_with_the_reason(panel, put, mail, queue):
    held, queued = put(mail("one"), mail("two"))
    ids = [held, "4000000001", queued, "4000000002"]
    with queue.write() as tx:
        hold_messages(tx, [held])
    panel.post(
        "maildrophost-act", action="retry", scope="selected", **{"ids:list": ids}
    )
    assert "Left alone: 2 (there is no such message): 4000000001, 4000000002" in (
        panel.text
    )
    assert (
        "Left alone: 1 (is held; only deferred, failed messages can be retried): "
        f"{held}"
    ) in panel.text
    assert "Tried again" not in panel.text


def test_many_that_cannot_be_done_are_counted(panel):
    ids = [str(4_000_000_000 + number) for number in range(30)]
    panel.post("maildrophost-act", action="hold", scope="selected", **{"ids:list": ids})
    assert "Left alone: 30 (there is no such message): 4000000000, " in panel.text
    assert "4000000019, …" in panel.text
    assert "4000000020" not in panel.text


def test_all_that_match_are_acted_on_and_nothing_else(panel, put, mail, states):
    put(mail("one", "anna@example.org"), mail("two", "anna@example.org"), mail("three"))
    panel.post("maildrophost-act", action="hold", scope="all", text="anna")
    assert states() == {"one": "held", "two": "held", "three": "queued"}
    assert "text=anna" in panel.browser.url


def test_deleting_asks_first_and_says_what_goes(panel, put, mail, states):
    put(mail("one"), mail("two", "anna@example.org"))
    panel.post("maildrophost-act", action="delete", scope="all", text="anna")
    assert "Delete 1 message for good?" in panel.text
    assert "anna@example.org: two" in panel.text
    assert states() == {"one": "queued", "two": "queued"}
    panel.browser.getControl("Delete for good").click()
    assert "Deleted: 1" in panel.text
    assert states() == {"one": "queued"}


def test_what_is_gone_already_is_not_asked_about(panel, put, mail):
    ids = put(*[mail(f"letter {number}") for number in range(6)])
    chosen = [*ids, ids[0], "4000000000", "no id"]
    panel.post(
        "maildrophost-act", action="delete", scope="selected", **{"ids:list": chosen}
    )
    assert "Delete 6 messages for good?" in panel.text
    assert "and 1 more" in panel.text
    panel.browser.getControl("Delete for good").click()
    assert "Deleted: 6" in panel.text


def test_a_deletion_takes_no_mail_that_came_while_it_was_asked_about(
    panel, put, mail, states
):
    put(mail("seen"))
    panel.post("maildrophost-act", action="delete", scope="all")
    assert "Delete 1 message for good?" in panel.text
    put(mail("unseen"))
    panel.browser.getControl("Delete for good").click()
    assert "Deleted: 1" in panel.text
    assert states() == {"unseen": "queued"}


def test_a_deletion_takes_no_mail_whose_transaction_commits_while_it_is_asked_about(
    panel, put, mail, states, queue
):
    batch = new_batch()
    with queue.write() as tx:
        prepare(tx, batch, [mail("newsletter")], time.time())
    put(mail("seen"))
    panel.post("maildrophost-act", action="delete", scope="all")
    assert "Delete 1 message for good?" in panel.text
    with queue.write() as tx:
        release(tx, batch)
    panel.browser.getControl("Delete for good").click()
    assert "Deleted: 1" in panel.text
    assert states() == {"newsletter": "queued"}


def test_a_deletion_is_asked_about_again_when_more_match_by_then(
    panel, put, mail, states, queue
):
    ids = put(mail("one"), mail("two"), mail("three"))
    with queue.write() as tx:
        hold_messages(tx, ids[:1])
    panel.post("maildrophost-act", action="delete", scope="all", state="held")
    assert "Delete 1 message for good?" in panel.text
    assert "autofocus" in panel.browser.contents
    with queue.write() as tx:
        hold_messages(tx, ids[1:2])
    panel.browser.getControl("Delete for good").click()
    assert "Nothing was done: more messages match by now" in panel.text
    assert "autofocus" not in panel.browser.contents  # that is read first
    assert "Delete 2 messages for good?" in panel.text
    assert states() == {"one": "held", "two": "held", "three": "queued"}
    panel.browser.getControl("Delete for good").click()
    assert "Deleted: 2" in panel.text
    assert states() == {"three": "queued"}


@pytest.mark.parametrize("newest", ["", "many", "-1", "9" * 30, "\u00b2"])
def test_a_bound_that_is_no_number_limits_nothing(panel, put, mail, states, newest):
    put(mail("one"))
    bound = dict.fromkeys(("newest", "unended", "matching"), newest)
    panel.post("maildrophost-act", action="hold", scope="all", **bound)
    assert states() == {"one": "held"}


def test_a_deletion_can_be_called_off(panel, put, mail, states):
    (id,) = put(mail("one"))
    panel.post(
        "maildrophost-act", action="delete", scope="selected", **{"ids:list": [id]}
    )
    panel.browser.getLink("Cancel").click()
    assert states() == {"one": "queued"}


def test_a_message_is_acted_on_from_its_page(panel, put, mail, states):
    (id,) = put(mail("one"))
    panel.open("message", id=id)
    panel.browser.getControl("Hold").click()
    assert states() == {"one": "held"}
    assert f"id={id}" in panel.browser.url
    panel.browser.getControl("Delete").click()
    panel.browser.getControl("Delete for good").click()
    assert states() == {}
    assert "queue" in panel.browser.url


def test_without_a_selection_nothing_is_done(panel, put, mail, states):
    put(mail())
    panel.post("maildrophost-act", action="hold", scope="selected")
    assert "Choose messages first" in panel.text
    assert states() == {"hello": "queued"}


@pytest.mark.parametrize(
    ("view", "said"),
    [
        ("maildrophost-act", "There is no such action."),
        ("maildrophost-batch", "There is no such action."),
        ("maildrophost-lane", "There is no such lane."),
    ],
)
@pytest.mark.parametrize("kind", ["", ":list", ":json", ":int"])
def test_a_field_that_is_no_text_is_refused_like_an_unknown_word(
    panel, put, mail, states, view, said, kind
):
    put(mail())
    names = ("action", "decision", "lane", "scope", "from", "batch", "ids")
    panel.post(view, **{f"{name}{kind}": "0" for name in names})
    assert said in panel.text
    assert states() == {"hello": "queued"}


@pytest.mark.parametrize("field", ["text", "ids:list"])
@pytest.mark.parametrize("action", ["hold", "delete"])
def test_octets_that_are_not_text_select_no_message(
    panel, put, mail, states, field, action
):
    put(mail())
    scope = "selected" if field == "ids:list" else "all"
    fields = f"_authenticator={panel.token()}&action={action}&scope={scope}"
    panel.browser.open(f"{panel.base}/@@maildrophost-act", f"{fields}&{field}=%FF")
    assert states() == {"hello": "queued"}


def test_an_id_may_be_sent_as_a_number(panel, put, mail, states):
    (id,) = put(mail())
    panel.post("maildrophost-act", action="hold", **{"ids:int": id})
    assert states() == {"hello": "held"}


def test_deleting_everything_leaves_mail_in_doubt_alone(
    panel, in_doubt, put, mail, states
):
    put(mail())
    panel.post("maildrophost-act", action="delete", scope="all", confirmed="1")
    assert states() == {"one": "prepared", "two": "prepared"}


@pytest.mark.parametrize("action", ["release", "delete"])
def test_mail_whose_transaction_may_still_end_is_said_to_stay(
    panel, in_doubt, states, queue, action
):
    with queue.write() as tx:
        remember_batch(tx, Batch(in_doubt, own_identity()))
    wanted = {"scope": "all", "state": "prepared", "confirmed": "1"}
    panel.post("maildrophost-act", action=action, **wanted)
    assert "Left alone: 2 prepared, whose transaction still runs or may" in panel.text
    assert states() == {"one": "prepared", "two": "prepared"}


def test_held_mail_is_counted_where_it_is_listed(panel, put, mail, queue):
    ids = put(mail("one"), mail("two"))
    with queue.write() as tx:
        hold_messages(tx, ids[:1])
    panel.open()
    panel.browser.getLink("1 Held").click()
    assert "Messages 1 to 1 of 1" in panel.text
    with queue.read() as tx:
        assert len(list_messages(tx)) == 2
