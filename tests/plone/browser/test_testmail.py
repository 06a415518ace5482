"""A test mail is watched from the queue to the relay's answer."""

from __future__ import annotations

from playwright.sync_api import expect

BREAK_OFF = """
window.maildropAsked = [];
const text = Response.prototype.text;
Response.prototype.text = function () {
  window.maildropAsked.push(this.url);
  const again = window.maildropAsked.filter((url) => url === this.url).length;
  if (again > 1) return text.call(this);
  return Promise.reject(new TypeError("network error"));
};
"""
"""Breaks off the first answer to each address."""
HIDE = "Object.defineProperty(document, 'visibilityState', {value: 'hidden'})"


def test_a_test_mail_is_followed_from_queued_to_sent(visitor, daemon, catcher):
    owner = visitor
    owner.log_in()
    owner.open("test")
    owner.page.get_by_label("Recipient").fill("reader@example.org")
    owner.press("Send test mail")
    progress = owner.page.locator("#maildrop-progress")
    expect(progress).to_contain_text("The mail for reader@example.org is in the queue")
    owner.sees("no daemon works on the queue")
    owner.finds_it_accessible("test-queued")

    # Nothing is reloaded from here on: the page follows by itself.
    owner.page.evaluate("window.maildropStays = true")
    daemon.start()

    expect(progress).to_contain_text("The relay has taken the mail")
    expect(progress.locator("samp")).to_contain_text("250 2.0.0 Ok")
    expect(owner.page.locator("#maildrop-health")).to_contain_text("Mail is moving")
    assert owner.page.evaluate("window.maildropStays")
    owner.finds_it_accessible("test-sent")
    (mail,) = catcher.wait_for(1)
    assert mail.recipients == ("reader@example.org",)


def asks_for(page):
    """The addresses that the page's script asks for from now on."""
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    return asked


def test_a_slow_mail_is_asked_about_less_and_less_often(owner, hurry, daemon):
    owner.open("test")
    owner.page.get_by_label("Recipient").fill("reader@example.org")
    owner.press("Send test mail")
    # The health is asked for each ten seconds, the mail in between.
    following = "maildropPauses.filter((each) => each < 10000)"
    owner.page.wait_for_function(f"{following}.length === 28")
    pauses = owner.page.evaluate(following)
    assert pauses == sorted(pauses)
    assert pauses[0] == 700
    assert pauses[-1] > 9_000
    # Whoever waits for a minute asks thirty times at the most.
    assert sum(pauses[:25]) > 60_000


def test_a_page_that_nobody_looks_at_asks_nothing(owner, hurry, daemon):
    owner.open("test")
    owner.page.get_by_label("Recipient").fill("reader@example.org")
    owner.press("Send test mail")
    owner.sees("The mail for reader@example.org is in the queue")
    owner.page.evaluate(HIDE)
    owner.page.wait_for_load_state("networkidle")
    asked = asks_for(owner.page)
    pauses = owner.page.evaluate("maildropPauses.length")
    owner.page.wait_for_function(f"maildropPauses.length > {pauses + 40}")
    assert asked == []


def test_a_mail_is_still_followed_after_an_answer_broke_off(owner, hurry, daemon):
    owner.page.add_init_script(BREAK_OFF)
    owner.open("test")
    owner.page.get_by_label("Recipient").fill("reader@example.org")
    owner.press("Send test mail")
    for followed in ("test-progress", "health"):
        asked = f"maildropAsked.filter((url) => url.includes('{followed}')).length"
        owner.page.wait_for_function(f"{asked} > 2")
    owner.sees("The mail for reader@example.org is in the queue")


def test_a_refused_login_is_reported_where_the_mail_is_followed(owner, daemon, catcher):
    catcher.login = ("site", "another password")
    daemon.start()
    owner.open("test")
    owner.page.get_by_label("Recipient").fill("reader@example.org")
    owner.press("Send test mail")
    owner.sees("Mail has not been moving since")
    expect(owner.page.locator("#maildrop-progress")).to_contain_text("535")
    assert catcher.messages == []


def test_the_button_of_plones_mail_panel_leads_to_the_verdict(owner, daemon, catcher):
    daemon.start()
    owner.page.goto(f"{owner.base}/@@mail-controlpanel")
    owner.sees("set as SMTP_HOST in")
    owner.finds_it_accessible("mail-settings")
    owner.press("Save and send test e-mail")
    owner.sees("The relay has taken the mail for site@example.org")
    catcher.wait_for(1)
