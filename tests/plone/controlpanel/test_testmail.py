"""The test mail, and Plone's own Mail control panel."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_string, policy

import pytest
import transaction
from plone.registry.interfaces import IRegistry
from zExceptions import Forbidden
from ZODB.POSException import ConflictError
from zope.component import (
    adapter,
    getGlobalSiteManager,
    getUtility,
    provideHandler,
)
from ZPublisher.HTTPRequest import HTTPRequest
from ZPublisher.interfaces import IPubBeforeCommit

from collective.maildrophost.transaction import sending


@pytest.fixture
def send(panel):
    def send(recipient):
        panel.open("test")
        panel.browser.getControl("Recipient").value = recipient
        panel.browser.getControl("Send test mail").click()

    return send


def test_a_test_mail_is_queued_like_any_other_and_followed(panel, send, queued):
    send("me@example.org")
    ((record, content),) = queued()
    assert [each.address for each in record.recipients] == ["me@example.org"]
    assert record.lane.label == "interactive"
    message = message_from_string(content, policy=policy.default)
    assert message["To"] == "me@example.org"
    assert message["Subject"].startswith("Test mail from")
    assert "The mail for me@example.org is in the queue." in panel.text
    assert 'data-maildrop-follow="http' in panel.browser.contents
    # Who has mended something tries the same address again.
    assert panel.browser.getControl("Recipient").value == "me@example.org"


@pytest.fixture
def meet_conflict(monkeypatch):
    """Has the next form sent to a path meet a conflict after all else, once."""
    monkeypatch.setattr(HTTPRequest, "retry_max_count", 1)
    monkeypatch.setattr(HTTPRequest, "delay_retry", lambda self: None)
    paths = []

    @adapter(IPubBeforeCommit)
    def conflict(event):
        request = event.request
        if request.method == "POST" and request["PATH_INFO"].endswith(tuple(paths)):
            paths.clear()
            raise ConflictError

    provideHandler(conflict)
    yield paths.append
    getGlobalSiteManager().unregisterHandler(conflict)
    assert paths == [], "no conflict was met"


def test_a_conflict_elsewhere_in_its_request_sends_no_second_test_mail(
    panel, send, queued, meet_conflict
):
    meet_conflict("@@maildrophost-send-test")
    send("me@example.org")
    assert len(queued()) == 1
    assert "The mail for me@example.org is in the queue." in panel.text
    # Another click is another mail.
    send("me@example.org")
    assert len(queued()) == 2


def test_a_recipient_that_is_not_one_address_is_refused_with_the_reason(
    panel, send, queued
):
    send("me@example.org, you@example.org")
    assert "Nothing was queued:" in panel.text
    assert queued() == []


def test_the_page_says_why_the_queue_takes_no_mail(panel, send, queued, full_disk):
    send("me@example.org")
    assert "Nothing was queued:" in panel.text
    assert "disk is full" in panel.text
    assert panel.browser.getControl("Recipient").value == "me@example.org"
    assert queued() == []


def test_no_header_can_be_smuggled_in(panel, queued):
    panel.post("maildrophost-send-test", recipient="me@example.org\r\nBcc: all@x.org")
    assert queued() == []


def test_the_page_says_that_a_mail_is_not_in_the_queue(panel):
    panel.open("test", message="<gone@example.org>")
    assert "This mail is not in the queue" in panel.text


@pytest.mark.parametrize("view", ["test", "test-progress"])
def test_a_mail_is_still_followed_after_the_queue_could_not_be_read(
    panel, send, queue, queued, view
):
    send("me@example.org")
    ((record, _),) = queued()
    away = queue.path.rename(queue.path.with_suffix(".away"))
    panel.open(view, message=record.message_id)
    away.rename(queue.path)

    assert "Nobody can tell at the moment what became of this mail" in panel.text
    assert "not in the queue" not in panel.text
    assert 'data-maildrop-final="no"' in panel.browser.contents
    # The page goes on asking, and finds it again.
    panel.open(view, message=record.message_id)
    assert "The mail for me@example.org is in the queue." in panel.text


def test_plones_panel_says_where_the_relay_is_set(panel, configure):
    path = configure(
        'SMTP_HOST="smtp.example.net"\nSMTP_PORT=587\n'
        'MAILDROP_LOGIN="me"\nMAILDROP_PASSWORD="tell nobody"\n'
    )
    panel.browser.open(f"{panel.base}/@@mail-controlpanel")
    assert f"smtp.example.net (set as SMTP_HOST in {path})" in panel.text
    assert f"587 (set as SMTP_PORT in {path})" in panel.text
    assert f"me (set as MAILDROP_LOGIN in {path})" in panel.text
    assert "tell nobody" not in panel.browser.contents
    assert panel.browser.getLink("Maildrop Host", index=0)


def test_plones_panel_saves_what_still_applies(panel, committing_portal):
    registry = getUtility(IRegistry)
    relay = registry["plone.smtp_host"]
    panel.browser.open(f"{panel.base}/@@mail-controlpanel")
    panel.browser.getControl("Site 'From' address").value = "office@example.org"
    panel.browser.getControl("Save", index=0).click()
    committing_portal._p_jar.sync()
    assert registry["plone.email_from_address"] == "office@example.org"
    assert registry["plone.smtp_host"] == relay


@pytest.fixture
def press_plones_button(panel):
    """Saves another address in Plone's panel, and has it send the test mail."""

    def press(address):
        panel.browser.open(f"{panel.base}/@@mail-controlpanel")
        panel.browser.getControl("Site 'From' address").value = address
        panel.browser.getControl("Save and send test e-mail").click()

    return press


def test_plones_test_button_leads_to_the_mail(panel, press_plones_button, queued):
    press_plones_button("office@example.org")
    ((record, _),) = queued()
    assert record.sender == "office@example.org"
    assert "The mail for office@example.org is in the queue." in panel.text


def test_a_conflict_has_plones_button_send_no_second_test_mail(
    press_plones_button, queued, meet_conflict
):
    meet_conflict("@@mail-controlpanel")
    press_plones_button("office@example.org")
    assert len(queued()) == 1


def test_plones_test_button_tells_that_the_queue_takes_no_mail_and_still_saves(
    panel, press_plones_button, queued, full_disk, committing_portal
):
    press_plones_button("office@example.org")
    assert "Nothing was queued:" in panel.text
    assert "disk is full" in panel.text
    assert queued() == []
    committing_portal._p_jar.sync()
    assert getUtility(IRegistry)["plone.email_from_address"] == "office@example.org"


def test_plones_test_button_is_of_no_use_to_another_site(panel, queued):
    panel.browser.handleErrors = False
    fields = "form.widgets.email_from_name=x&form.widgets.email_from_address=a@x.org"
    with pytest.raises(Forbidden):
        panel.browser.open(
            f"{panel.base}/@@mail-controlpanel",
            f"{fields}&form.widgets.email_charset=utf-8&form.buttons.test=1",
        )
    assert queued() == []


@pytest.fixture
def unheard_of(committing_portal, monkeypatch, unheard):
    """The queue answers no commit; each mail is queued as it is sent."""
    committing_portal.MailHost.setTransactional(False)
    transaction.commit()
    monkeypatch.setattr(sending, "enqueue", unheard)


def test_a_mail_that_may_be_queued_is_not_reported_as_not_queued(
    panel, send, press_plones_button, unheard_of
):
    send("me@example.org")
    assert "The mail may be queued, look before you send it again" in panel.text
    assert "Nothing was queued" not in panel.text
    press_plones_button("office@example.org")
    assert "The mail may be queued, look before you send it again" in panel.text
    assert "Nothing was queued" not in panel.text


def test_a_site_without_an_address_is_told_where_to_set_it(
    panel, send, queued, committing_portal
):
    getUtility(IRegistry)["plone.email_from_address"] = None
    transaction.commit()
    send("me@example.org")
    assert "the site has no address to send from. Set its 'From' address" in panel.text
    assert queued() == []


def test_without_a_message_id_no_mail_is_followed(panel, put, mail):
    put(replace(mail(), message_id=""))
    panel.open("test-progress")
    assert "to@example.org" not in panel.text
