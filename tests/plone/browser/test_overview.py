"""The first page and the settings in a browser."""

from __future__ import annotations

from dataclasses import replace

import pytest
import transaction
from playwright.sync_api import expect
from Products.MailHost.MailHost import MailHost
from sqlalchemy import insert

from collective.maildrophost import MaildropHost
from collective.maildrophost.controlpanel import page
from collective.maildrophost.engine.message import Lane, compose
from collective.maildrophost.engine.queue import (
    RelayPause,
    State,
    clear,
    discard,
    hold_lane,
    look,
    new_batch,
    pause,
    prepare,
    release_lane,
    tables,
)
from collective.maildrophost.engine.queue.hours import SECONDS_PER_HOUR

OVERFLOWING = """() => [...document.querySelectorAll(".maildrop-tile-number")].filter(
  (number) =>
    number.getBoundingClientRect().right >
    number.parentElement.getBoundingClientRect().right
).map((number) => number.textContent)"""
"""The numbers that have no room in their tiles."""
IN_GERMAN = """() => {
  const words = ["Stunde ab", "Gesendet", "Aufgeschoben", "Gescheitert"];
  document.querySelectorAll("#maildrop-hours thead th").forEach(
    (head, column) => { head.textContent = words[column]; }
  );
}"""
"""The heads of the table as a German reader has them."""
ANIMATIONS = """() => {
  const health = document.getElementById("maildrop-health");
  return health.getAnimations().map((each) => each.animationName);
}"""
"""What moves, or is about to, where the health is shown."""
BREAK_OFF = """
const text = Response.prototype.text;
Response.prototype.text = function () {
  const away = window.maildropAway;
  if (!away || !this.url.includes(away)) return text.call(this);
  return Promise.reject(new TypeError("network error"));
};
"""
"""Breaks off the answers of what is said to be away."""


@pytest.fixture
def busy_day(queue, now):
    """Verdicts of every hour of the day."""
    this_hour = int(now) // SECONDS_PER_HOUR * SECONDS_PER_HOUR
    with queue.write() as tx:
        tx.execute(
            insert(tables.hour),
            [
                {
                    "hour": this_hour - ago * SECONDS_PER_HOUR,
                    "owner": "",
                    "sent": 40 + 13 * (ago % 7) * (ago < 14),
                    "deferred": ago * 5 % 9,
                    "failed": ago % 4,
                }
                for ago in range(24)
            ],
        )
    yield
    with queue.write() as tx:
        tx.execute(tables.hour.delete())


@pytest.fixture
def in_doubt(queue, now):
    """A batch whose transaction was cut off an hour ago."""
    batch = new_batch()
    mail = compose("Subject: x\n\nx\n", "a@x.org", ["b@x.org"], now=now)
    origin = "/plone/MailHost on web1, process 17"
    with queue.write() as tx:
        prepare(tx, batch, [mail, mail], now - 3600, origin)
    yield batch
    with queue.write() as tx:
        discard(tx, batch)


@pytest.fixture
def paused(queue, now):
    """The relay refused the login some minutes ago."""
    fault = "535 5.7.8 authentication failed"
    with queue.write() as tx:
        pause(tx, RelayPause("127.0.0.1:25", fault, now - 900, now + 60, 3))
    yield
    with queue.write() as tx:
        clear(tx, "127.0.0.1:25")


def test_the_overview_shows_that_mail_moves(owner, busy_day, put, daemon, catcher):
    put("anna@example.org", "bert@example.org", lane=Lane.INTERACTIVE)
    daemon.start()
    catcher.wait_for(2)
    owner.open()
    owner.sees("Mail is moving: nothing is waiting")
    chart = owner.page.get_by_role("img", name="Verdicts of the last 24 hours")
    expect(chart).to_be_visible()
    box = chart.bounding_box()
    assert box["width"] > 250
    owner.page.get_by_text("The figures as a table").click()
    expect(owner.page.locator("#maildrop-hours tbody tr")).to_have_count(24)
    owner.page.get_by_text("The figures as a table").click()
    owner.finds_it_accessible("overview")


def test_the_figures_as_a_table_fit_with_longer_words(owner, daemon):
    owner.open()
    owner.page.get_by_text("The figures as a table").click()
    owner.page.evaluate(IN_GERMAN)
    expect(owner.page.locator("#maildrop-hours")).to_contain_text("Aufgeschoben")
    owner.needs_no_scrolling_sideways()


def test_the_overview_follows_the_mail(owner, hurry, put, daemon):
    put("anna@example.org", "bert@example.org")
    owner.open()
    queued = owner.page.get_by_role("link", name="Queued")
    expect(queued).to_have_text("2 Queued")
    owner.page.get_by_text("The figures as a table").click()
    queued.focus()
    # Nothing is reloaded from here on: the page follows by itself.
    daemon.start()
    expect(queued).to_have_text("0 Queued")
    expect(owner.page.locator("#maildrop-health")).to_contain_text("Mail is moving")
    # What is new is there at once, and nothing flickers.
    assert owner.page.evaluate(ANIMATIONS) == []
    # The focus and what was opened stay as they are.
    expect(queued).to_be_focused()
    expect(owner.page.locator("#maildrop-hours")).to_be_visible()


@pytest.mark.parametrize("away", ["/", "-figures"])
def test_the_overview_tells_its_age_while_a_part_is_not_renewed(
    owner, hurry, daemon, away
):
    daemon.start()
    owner.page.add_init_script(BREAK_OFF)
    owner.open()
    age = owner.page.locator("#maildrop-not-renewed")
    expect(age).to_be_hidden()
    owner.page.evaluate("(away) => {window.maildropAway = away}", away)
    expect(age).to_be_visible()
    expect(age).to_contain_text("the server has not answered since")
    told = age.locator("time").get_attribute("datetime")
    for _ in range(3):  # The health is asked for first, then the figures.
        owner.page.wait_for_event("response", lambda each: "-figures" in each.url)
    expect(age).to_be_visible()
    expect(age.locator("time")).to_have_attribute("datetime", told)
    owner.finds_no_violation()
    owner.page.evaluate("window.maildropAway = ''")
    expect(age).to_be_hidden()


@pytest.fixture
def large(monkeypatch):
    """The figures of a queue that is larger than any real one."""

    def large(tx, now):
        health, stats = look(tx, now)
        states = {State.FAILED: 12_345_678, State.SENT: 87_654_321}
        return health, replace(stats, states=states)

    monkeypatch.setattr(page, "look", large)


def test_a_large_number_has_room_in_its_tile(owner, large):
    owner.open()
    owner.sees("12,345,678")
    assert owner.page.evaluate(OVERFLOWING) == []
    owner.finds_no_violation()
    owner.turns_dark()
    owner.finds_no_violation()


@pytest.fixture
def hold(queue):
    """Has a colleague hold a lane, until the test ends."""
    held = []

    def hold_it(lane: Lane) -> None:
        held.append(lane)
        with queue.write() as tx:
            hold_lane(tx, lane)

    yield hold_it
    with queue.write() as tx:
        for lane in held:
            release_lane(tx, lane)


def test_the_focus_does_not_move_to_the_opposite_button(owner, hurry, put, hold):
    put("anna@example.org")
    owner.open()
    bulk = owner.page.locator("form:has(input[name=lane][value=bulk])")
    bulk.locator("button[value=hold]").focus()
    hold(Lane.BULK)
    release = bulk.locator("button[value=release]")
    expect(release).to_be_visible()
    expect(release).not_to_be_focused()


def test_the_overview_shows_why_mail_stands_still(
    owner, busy_day, put, in_doubt, paused
):
    put("anna@example.org", "bert@example.org")
    owner.open()
    owner.sees("Mail is not moving")
    owner.finds_it_accessible("overview-in-doubt")
    owner.turns_dark()
    owner.finds_no_violation()
    owner.page.get_by_role("button", name="Discard…").click()
    owner.sees("Discard this mail for good?")
    expect(owner.page.locator("#maildrop-confirm-heading")).to_be_focused()
    owner.finds_it_accessible("discard")
    owner.press("Discard for good")
    owner.sees("Discarded: 2")


def test_a_setting_is_changed(owner, portal):
    owner.open("settings")
    owner.finds_it_accessible("settings")
    owner.page.get_by_label("Title").fill("Our mail")
    owner.page.get_by_label("Send with the transaction").uncheck()
    owner.press("Save")
    owner.sees("Changes saved.")
    expect(owner.page.get_by_label("Title")).to_have_value("Our mail")
    transaction.begin()
    assert portal.MailHost.title == "Our mail"
    assert not portal.MailHost.isTransactional()


def test_a_replaced_mailhost_is_put_back(owner, portal):
    portal._delObject("MailHost")
    portal._setObject("MailHost", MailHost("MailHost"))
    transaction.commit()
    owner.open()
    owner.sees("The site does not send its mail through the Maildrop Host")
    owner.finds_it_accessible("replaced")
    owner.press("Use the Maildrop Host again")
    owner.sees("The site sends its mail through the Maildrop Host again")
    transaction.begin()
    assert isinstance(portal.MailHost, MaildropHost)
