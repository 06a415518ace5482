"""A test mail is watched from the queue to the relay's answer."""

from __future__ import annotations

from playwright.sync_api import expect


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


def test_a_relay_that_refuses_the_login_is_told_where_the_mail_is_followed(
    owner, daemon, catcher
):
    catcher.login = ("site", "another password")
    daemon.start()
    owner.open("test")
    owner.page.get_by_label("Recipient").fill("reader@example.org")
    owner.press("Send test mail")
    owner.sees("Mail is not moving since")
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
