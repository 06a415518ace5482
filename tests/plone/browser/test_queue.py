"""The queue in the hands of a person: found, looked at, retried, deleted."""

from __future__ import annotations

from pagescripts import WIDTH
from playwright.sync_api import expect

from collective.maildrophost.engine.message import Lane
from collective.maildrophost.engine.queue import (
    Settlement,
    claim,
    due,
    settle,
)
from collective.maildrophost.engine.verdict import Outcome, Verdict

COVERED = """() => {
  const focused = document.activeElement.getBoundingClientRect();
  const bar = document.querySelector(".maildrop-actions").getBoundingClientRect();
  return focused.bottom > bar.top;
}"""
"""Whether the bar of buttons hides what the keyboard has come to (WCAG 2.4.11)."""
MANY_PAGES = """() => {
  const current = document.querySelector(".pagination .active .page-link");
  current.textContent = "1,000 of 2,001";
}"""
"""What stands between the links where 100,000 messages are found."""
NARROW = 320
"""Pixels that a page has to do with: 1280 of them enlarged to 400 % (WCAG 1.4.10)."""


def refuse(queue, outcome, reply, now):
    """What a daemon records when the relay refuses everything that is due."""
    with queue.write() as tx:
        ids = [key for lane in due(tx, 100, now + 1).lanes.values() for key in lane]
        for each in claim(tx, "daemon", ids, now + 1):
            verdicts = tuple(
                (recipient.position, Verdict(outcome, reply))
                for recipient in each.recipients
            )
            refused = Settlement(
                each.id,
                each.created,
                each.attempts,
                "daemon",
                now,
                "smtp.example.org:25",
                verdicts,
                now + 600,
                False,
            )
            settle(tx, [refused], now)


def test_a_failed_mail_is_found_looked_at_and_sent_again(
    owner, put, queue, daemon, catcher, now
):
    put("anna@example.net", "bert@example.com")
    refuse(queue, Outcome.FAILED, "550 5.1.1 no such user here", now)
    put(*[f"reader{n}@example.org" for n in range(60)], lane=Lane.BULK)
    owner.open("queue")
    owner.sees("Messages 1 to 50 of 62")
    owner.finds_it_accessible("queue")

    owner.page.get_by_label("Recipient, sender, subject or id").fill("ANNA@")
    owner.page.get_by_label("State", exact=True).select_option(label="Failed")
    owner.press("Search")
    owner.sees("Messages 1 to 1 of 1")
    expect(owner.page.locator("tbody tr")).to_contain_text("550 5.1.1 no such user")
    owner.page.get_by_role("link", name="Letter to anna@example.net").click()

    owner.sees("550 5.1.1 no such user here")
    expect(owner.page.locator("#maildrop-text")).to_contain_text("this is a letter")
    owner.finds_it_accessible("message")
    daemon.start()
    owner.press("Retry now")
    owner.sees("Tried again at once: 1")
    catcher.wait_for(61)
    owner.page.reload()
    expect(owner.page.locator("#maildrop-message-state")).to_have_text("Sent")


def test_selected_mail_is_deleted_after_a_question(owner, put, states):
    put("anna@example.net", "bert@example.com", "carl@example.com")
    owner.open("queue", text="example.com")
    owner.page.get_by_label("Select every message of this page").check()
    expect(owner.page.locator("tbody input:checked")).to_have_count(2)
    owner.press("Delete…")

    owner.sees("Delete 2 messages for good?")
    expect(owner.page.locator("#maildrop-confirm-heading")).to_be_focused()
    owner.finds_it_accessible("delete")
    assert len(states()) == 3
    owner.press("Delete for good")

    owner.sees("Deleted: 2")
    assert states() == ["queued"]


def test_all_that_match_are_held_by_keyboard_alone(owner, put, states):
    put(*[f"reader{n}@example.org" for n in range(60)])
    owner.page.emulate_media(reduced_motion="reduce")
    owner.open("queue", text="reader")
    owner.page.get_by_label("Select every message of this page").focus()
    for _ in range(40):
        owner.page.keyboard.press("Tab")
        assert not owner.page.evaluate(COVERED)
    owner.page.get_by_label("With which messages").focus()
    owner.page.keyboard.press("ArrowDown")
    owner.page.keyboard.press("Tab")
    owner.page.keyboard.press("Tab")
    owner.page.keyboard.press("Enter")
    owner.sees("Held: 60")
    assert states() == ["held"] * 60


def test_the_links_to_very_many_pages_fit_on_a_narrow_screen(owner, put):
    put(*[f"reader{n}@example.org" for n in range(60)])
    owner.page.set_viewport_size({"width": NARROW, "height": 640})
    owner.open("queue")
    owner.page.evaluate(MANY_PAGES)
    assert owner.page.evaluate(WIDTH) <= NARROW


def test_an_empty_queue_says_so(owner):
    owner.open("queue")
    owner.sees("Nothing is waiting here")
    owner.finds_it_accessible("queue-empty")
