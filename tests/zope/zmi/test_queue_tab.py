"""The Queue tab: messages, and batches in doubt."""

from __future__ import annotations

import html
import re
import time
from dataclasses import replace

import pytest
from sqlalchemy import text

from collective.maildrophost.engine.message import Lane
from collective.maildrophost.engine.queue import (
    Batch,
    enqueue,
    hold_lane,
    hold_messages,
    release_lane,
    remember_batch,
)
from collective.maildrophost.engine.queue.search import SCANNED
from collective.maildrophost.engine.system.identity import own_identity


def test_the_queue_tab_lists_messages_as_text(browser, main_queue, mail):
    with main_queue.write() as tx:
        (id,) = enqueue(tx, [mail("<script>alert(1)</script>")], time.time())
    page = browser.get("MailHost/manage_queue")
    assert page.status == 200
    assert f"{id} queued normal" in page.text
    assert "to@example.org" in page.text
    assert "<script>alert" not in page.body
    assert "&lt;script&gt;alert" in page.body


def test_the_queue_tab_shows_only_some_of_many_recipients(browser, main_queue, mail):
    many = tuple(f"number{count}@example.org" for count in range(60))
    with main_queue.write() as tx:
        enqueue(tx, [replace(mail("newsletter"), recipients=many)], time.time())
    page = browser.get("MailHost/manage_queue").text
    assert page.count("@example.org") == 1 + 20  # the sender's, too
    assert "and 40 more" in page


def test_the_queue_tab_shows_one_state(browser, main_queue, mail):
    with main_queue.write() as tx:
        enqueue(tx, [mail("waits")], time.time())
    assert "waits" in browser.get("MailHost/manage_queue", state="queued").text
    assert "waits" not in browser.get("MailHost/manage_queue", state="failed").text
    assert browser.get("MailHost/manage_queue", state="nonsense").status == 200


def test_the_tabs_tell_of_mail_that_is_held(browser, main_queue, mail):
    with main_queue.write() as tx:
        (held, _) = enqueue(tx, [mail("held"), mail("waits")], time.time())
        hold_messages(tx, [held])
        hold_lane(tx, Lane.BULK)
    try:
        edit, queue = (
            browser.get(f"MailHost/{tab}").text
            for tab in ("manage_main", "manage_queue")
        )
    finally:
        with main_queue.write() as tx:
            release_lane(tx, Lane.BULK)
    for page in (edit, queue):
        assert "1 waiting" in page
        assert "held lanes: bulk" in page
    assert "Neither sent nor failed 2" in edit


def test_the_queue_tab_has_pages(browser, main_queue, mail):
    with main_queue.write() as tx:
        enqueue(tx, [mail(f"number {n:03}") for n in range(60)], time.time())
    first = browser.get("MailHost/manage_queue")
    assert "number 000" in first.text
    assert "number 055" not in first.text
    later = re.search(r'href="(manage_queue\?[^"]*)"', first.body).group(1)
    second = browser.get(f"MailHost/{html.unescape(later)}")
    assert "number 055" in second.text
    assert "number 000" not in second.text


@pytest.mark.parametrize(
    "offset", ["²", "9" * 30, "9" * 5000, "-1"], ids=["square", "long", "longer", "-1"]
)
def test_an_offset_that_is_no_number_means_the_first_page(
    browser, main_queue, mail, offset
):
    with main_queue.write() as tx:
        enqueue(tx, [mail("the first")], time.time())
    page = browser.get("MailHost/manage_queue", offset=offset)
    assert page.status == 200
    assert "the first" in page.text


def test_batches_in_doubt_are_shown_with_what_to_do(browser, prepared):
    page = browser.get("MailHost/manage_queue")
    assert prepared in page.text
    assert "/MailHost on web1, process 17" in page.text
    assert 'value="Release"' in page.body
    assert 'value="Discard"' in page.body


def test_a_batch_whose_transaction_still_runs_cannot_be_decided(
    browser, prepared, main_queue, states
):
    with main_queue.write() as tx:
        remember_batch(tx, Batch(prepared, own_identity()))
    page = browser.get("MailHost/manage_queue")
    assert "still running" in page.text
    assert 'value="Release"' not in page.body
    page = browser.post("MailHost/manage_releaseBatch", {"batch": prepared})
    assert "belongs to a transaction that still runs" in page.text
    assert states() == ["prepared", "prepared"]


def test_a_batch_is_released_by_hand(browser, prepared, states):
    page = browser.post("MailHost/manage_releaseBatch", {"batch": prepared})
    assert "Mails released: 2." in page.text
    assert prepared not in page.text
    assert states() == ["queued", "queued"]


def test_a_batch_is_discarded_by_whoever_is_sure(browser, prepared, states):
    fields = {"batch": prepared, "sure": "1"}
    page = browser.post("MailHost/manage_discardBatch", fields)
    assert "Mails discarded: 2." in page.text
    assert states() == []


@pytest.mark.parametrize("fields", [{}, {"sure": "0"}, {"sure": "False"}])
def test_a_batch_is_not_discarded_by_one_click(browser, prepared, states, fields):
    fields = {"batch": prepared, **fields}
    page = browser.post("MailHost/manage_discardBatch", fields)
    assert "Nothing was discarded: tick “for good”" in page.text
    assert prepared in page.text
    assert states() == ["prepared", "prepared"]


def test_the_form_that_discards_a_batch_has_the_tick(browser, prepared):
    page = browser.get("MailHost/manage_queue").body
    (form,) = re.findall(r'action="manage_discardBatch".*?</form>', page, re.DOTALL)
    assert 'type="checkbox" name="sure"' in form
    assert "checked" not in form


def test_the_queue_tab_finds_messages(browser, main_queue, mail):
    with main_queue.write() as tx:
        enqueue(tx, [mail("apples"), mail("pears")], time.time())
    page = browser.get("MailHost/manage_queue", text="APPLE")
    assert "apples" in page.text
    assert "pears" not in page.text


def test_the_queue_tab_says_where_only_the_newest_were_looked_through(
    browser, main_queue, mail
):
    with main_queue.write() as tx:
        (id,) = enqueue(tx, [mail("apples")], time.time())
        next_id = {"seq": int(id) + SCANNED - 1}
        tx.execute(text("UPDATE sqlite_sequence SET seq = :seq"), next_id)
        enqueue(tx, [mail("pears")], time.time())
    only = "The text was looked for in the newest 200000 messages only."
    found = browser.get("MailHost/manage_queue", text="apples").text
    assert f"{only} No messages here." in found
    assert only not in browser.get("MailHost/manage_queue").text


def test_the_tabs_say_whether_mail_moves(browser):
    for tab in ("manage_main", "manage_queue"):
        page = browser.get(f"MailHost/{tab}")
        assert "Mail is not moving: no daemon works on the queue" in page.text


@pytest.mark.parametrize(
    ("action", "said", "after"),
    [
        ("hold", "Held: 1.", ["held", "queued"]),
        ("delete", "Nothing was deleted: tick", ["queued", "queued"]),
        (
            "retry",
            "Tried again at once: 0; already so: 1.",
            ["queued"] * 2,
        ),
        ("nonsense", "There is no such action.", ["queued", "queued"]),
    ],
)
def test_chosen_messages_are_acted_on(
    browser, main_queue, mail, states, action, said, after
):
    with main_queue.write() as tx:
        ids = enqueue(tx, [mail("one"), mail("two")], time.time())
    fields = {"action": action, "ids:list": ids[0]}
    page = browser.post("MailHost/manage_actOnMessages", fields)
    assert said in page.text
    assert sorted(states()) == after


def test_what_is_left_alone_is_listed_in_a_url_that_proxies_accept(
    browser, main_queue, mail
):
    """nginx takes 4 kB of headers from a server, unless it is told to take more."""
    with main_queue.write() as tx:
        ids = enqueue(tx, [mail("waits")] * 50, time.time())
        hold_messages(tx, ids)
    fields = {"action": "retry", "ids:tokens": " ".join(ids)}
    page = browser.post("MailHost/manage_actOnMessages", fields)
    assert "Tried again at once: 0;" in page.text
    assert f"message {ids[0]} was left alone (is held" in page.text
    assert "so were 45 more." in page.text
    assert len(page.url) < 1000


@pytest.mark.parametrize("kind", ["", ":list", ":json", ":int"])
def test_a_field_that_is_no_text_is_no_action(browser, main_queue, mail, states, kind):
    with main_queue.write() as tx:
        enqueue(tx, [mail("one")], time.time())
    fields = {f"action{kind}": "0", f"ids{kind}": "0"}
    page = browser.post("MailHost/manage_actOnMessages", fields)
    assert "There is no such action." in page.text
    assert states() == ["queued"]


def test_messages_are_deleted_by_whoever_is_sure(browser, main_queue, mail, states):
    with main_queue.write() as tx:
        (id,) = enqueue(tx, [mail("one")], time.time())
    fields = {"action": "delete", "ids:list": id, "sure": "1"}
    page = browser.post("MailHost/manage_actOnMessages", fields)
    assert "Deleted: 1." in page.text
    assert states() == []


@pytest.mark.parametrize("sure", ["", "0", "False"])
def test_messages_are_not_deleted_by_whoever_is_not_sure(
    browser, main_queue, mail, states, sure
):
    with main_queue.write() as tx:
        (id,) = enqueue(tx, [mail("one")], time.time())
    fields = {"action": "delete", "ids:list": id, "sure": sure}
    page = browser.post("MailHost/manage_actOnMessages", fields)
    assert "Nothing was deleted: tick “for good”" in page.text
    assert states() == ["queued"]


def test_every_field_has_help(browser):
    add = "manage_addProduct/collective.maildrophost/manage_addMaildropHostForm"
    for path, fields in (
        (add, ["id", "title", "path_key"]),
        ("MailHost/manage_main", ["title", "path_key", "transactional"]),
    ):
        page = browser.get(path)
        for field in fields:
            assert f'aria-describedby="{field}-help"' in page.body
            assert f'id="{field}-help"' in page.body


def test_octets_that_are_not_text_are_answered(browser, main_queue, mail):
    with main_queue.write() as tx:
        enqueue(tx, [mail("hello")], time.time())
    for query in ("text=%FF", "text=%FF&offset=50"):
        page = browser.get(f"MailHost/manage_queue?{query}")
        assert page.status == 200
        assert "No messages here." in page.text
    fields = {"action": "hold", "ids:list": b"\xff"}
    page = browser.post("MailHost/manage_actOnMessages", fields)
    assert "there is no such message" in page.text
    page = browser.post("MailHost/manage_releaseBatch", {"batch": b"\xff"})
    assert "Nothing was done: somebody else has decided about this mail" in page.text
