"""Mail that Plone itself writes: queued by the commit, gone with an abort."""

from __future__ import annotations

import json
from email import message_from_bytes, message_from_string, policy
from email.message import EmailMessage
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

import pytest
import transaction
from OFS.DTMLMethod import addDTMLMethod
from plone import api
from plone.app.contentrules.actions.mail import MailAction
from plone.app.contentrules.rule import Rule, get_assignments
from plone.contentrules.engine.assignments import RuleAssignment
from plone.contentrules.engine.interfaces import (
    IRuleAssignmentManager,
    IRuleStorage,
)
from plone.registry.interfaces import IRegistry
from zope.component import getUtility
from zope.lifecycleevent.interfaces import IObjectAddedEvent

SITE_ADDRESS = "postmaster@example.org"


def addresses(message):
    return [recipient.address for recipient in message.recipients]


@pytest.fixture
def member(committing_portal):
    """Somebody with a password and an address."""
    api.user.create(
        email="member@example.net", username="member", password="a long secret"
    )
    transaction.commit()


def test_send_email_is_queued_by_the_commit(committing_portal, queued):
    api.portal.send_email(recipient="you@example.net", subject="Hello", body="Bye")
    assert queued() == []

    transaction.commit()

    [(message, text)] = queued()
    assert message.state == "queued"
    assert message.sender == SITE_ADDRESS
    assert addresses(message) == ["you@example.net"]
    assert message.subject == "Hello"
    assert text.endswith("Bye")


def test_send_email_takes_a_message_of_several_parts(committing_portal, queued):
    body = EmailMessage()
    body.set_content("Grüße")
    body.add_alternative("<p>Grüße</p>", subtype="html")
    api.portal.send_email(recipient="you@example.net", subject="Grüße", body=body)
    transaction.commit()

    [(message, text)] = queued()
    assert message.subject == "Grüße"
    written = message_from_bytes(text.encode(), policy=policy.default)
    assert written["To"] == "you@example.net"
    assert [part.get_content().strip() for part in written.iter_parts()] == [
        "Grüße",
        "<p>Grüße</p>",
    ]


@pytest.mark.parametrize("immediate", [False, True])
def test_an_abort_leaves_nothing(committing_portal, queued, immediate):
    api.portal.send_email(
        recipient="you@example.net", subject="Hello", body="Bye", immediate=immediate
    )
    transaction.abort()
    transaction.commit()

    assert queued() == []


def test_the_contact_form_is_queued(visitor, queued):
    visitor.open("http://nohost/plone/contact-info")
    visitor.getControl(name="form.widgets.sender_fullname").value = "A Visitor"
    visitor.getControl(
        name="form.widgets.sender_from_address"
    ).value = "visitor@example.net"
    visitor.getControl(name="form.widgets.subject").value = "A question"
    visitor.getControl(name="form.widgets.message").value = "How much is it?"
    visitor.getControl(name="form.buttons.send").click()

    assert "A mail has now been sent" in visitor.contents
    [(message, text)] = queued()
    assert addresses(message) == [SITE_ADDRESS]
    assert message.subject == "A question"
    assert "Reply-To: visitor@example.net" in text
    assert "How much is it?" in text


def test_the_form_for_a_lost_password_is_queued_before_all_else(
    visitor, member, queued
):
    visitor.open("http://nohost/plone/login-help")
    visitor.getControl(name="form.widgets.reset_password").value = "member"
    visitor.getControl(name="form.buttons.reset").click()

    [(message, text)] = queued()
    assert addresses(message) == ["member@example.net"]
    assert message.lane.label == "interactive"
    assert "http://nohost/plone/passwordreset/" in text


def test_the_view_for_a_lost_password_is_queued(visitor, member, queued):
    visitor.open("http://nohost/plone/mail_password?userid=member")

    [(message, _)] = queued()
    assert addresses(message) == ["member@example.net"]


def test_the_form_for_a_lost_username_is_queued_before_all_else(
    visitor, member, queued
):
    visitor.open("http://nohost/plone/login-help")
    visitor.getControl(
        name="form.widgets.recover_username"
    ).value = "member@example.net"
    visitor.getControl(name="form.buttons.get_username").click()

    [(message, _)] = queued()
    assert addresses(message) == ["member@example.net"]
    assert message.lane.label == "interactive"


def test_a_registration_is_queued_before_all_else(visitor, queued):
    getUtility(IRegistry)["plone.enable_self_reg"] = True
    api.portal.get().manage_permission("Add portal member", ["Anonymous"], acquire=1)
    transaction.commit()

    visitor.open("http://nohost/plone/@@register")
    visitor.getControl(name="form.widgets.username").value = "newcomer"
    visitor.getControl(name="form.widgets.email").value = "newcomer@example.net"
    visitor.getControl(name="form.buttons.register").click()

    [(message, text)] = queued()
    assert addresses(message) == ["newcomer@example.net"]
    assert message.lane.label == "interactive"
    assert "newcomer" in text


def test_the_mail_action_of_a_content_rule_is_queued(committing_portal, queued):
    action = MailAction()
    action.subject = "New: ${title}"
    action.recipients = "editor@example.net, chief@example.net"
    action.message = "See ${url}"
    rule = Rule()
    rule.event = IObjectAddedEvent
    rule.actions = [action]
    getUtility(IRuleStorage)["tell"] = rule
    IRuleAssignmentManager(committing_portal)["tell"] = RuleAssignment("tell")
    get_assignments(rule).insert("/plone")
    rule.enabled = True
    IRuleAssignmentManager(committing_portal)["tell"].enabled = True

    api.content.create(committing_portal, "Document", "news", title="The news")
    transaction.commit()

    assert sorted(addresses(message)[0] for message, _ in queued()) == [
        "chief@example.net",
        "editor@example.net",
    ]
    message, text = queued()[0]
    assert message.subject == "New: The news"
    assert f"See {committing_portal.absolute_url()}/news" in text


def test_the_dtml_tag_is_queued(committing_portal, owner, queued):
    addDTMLMethod(
        committing_portal,
        "tell",
        file='<dtml-sendmail mailhost="MailHost">'
        "To: you@example.net\nFrom: me@example.net\nSubject: By tag\n\n"
        "Hello <dtml-var title></dtml-sendmail>sent",
    )
    transaction.commit()

    owner.open("http://nohost/plone/tell")

    assert "sent" in owner.contents
    [(message, text)] = queued()
    assert message.sender == "me@example.net"
    assert addresses(message) == ["you@example.net"]
    assert "Hello Plone" in text


def test_the_mail_of_a_form_with_an_attachment_is_queued(committing_portal, queued):
    # As collective.easyform and its like send: one text with all the headers.
    mail = MIMEMultipart()
    mail["From"] = "form@example.net"
    mail["To"] = "Reader <reader@example.net>"
    mail["Cc"] = "copy@example.net"
    mail["Subject"] = "Bestellung für zwei"
    mail.attach(MIMEText("Zwei Stück", _charset="utf-8"))
    attached = MIMEApplication(bytes(range(256)))
    attached.add_header("Content-Disposition", "attachment", filename="order.bin")
    mail.attach(attached)

    api.portal.get_tool("MailHost").send(mail.as_string())
    transaction.commit()

    [(message, text)] = queued()
    assert addresses(message) == ["reader@example.net", "copy@example.net"]
    assert message.subject == "Bestellung für zwei"
    parts = message_from_string(text).get_payload()
    assert [part.get_payload(decode=True) for part in parts] == [
        "Zwei Stück".encode(),
        bytes(range(256)),
    ]


def test_send_template_is_queued(committing_portal, queued):
    addDTMLMethod(
        committing_portal,
        "letter",
        file="To: you@example.net\nFrom: me@example.net\nSubject: By template\n\nHi",
    )

    committing_portal.MailHost.sendTemplate(committing_portal, "letter")
    transaction.commit()

    [(message, _)] = queued()
    assert message.subject == "By template"


def test_the_rest_service_is_queued(committing_portal, owner, queued):
    wanted = {"to": "you@example.net", "from": "me@example.net", "message": "Hi there"}
    owner.addHeader("Accept", "application/json")
    owner.post(
        "http://nohost/plone/@email-send", json.dumps(wanted), "application/json"
    )

    [(message, text)] = queued()
    assert addresses(message) == ["you@example.net"]
    assert "Hi there" in text


def test_the_rest_service_tells_of_an_address_that_is_none(owner, queued):
    wanted = {"to": "you@example..net", "from": "me@example.net", "message": "Hi there"}
    owner.addHeader("Accept", "application/json")
    owner.raiseHttpErrors = False
    owner.post(
        "http://nohost/plone/@email-send", json.dumps(wanted), "application/json"
    )

    told = json.loads(owner.contents)["error"]["message"]
    assert told.startswith("Unable to send mail: ")
    assert "is no domain" in told
    assert queued() == []


def test_the_test_mail_of_plones_own_mail_panel_is_queued(owner, queued):
    owner.open("http://nohost/plone/@@mail-controlpanel")
    owner.getControl(name="form.buttons.test").click()

    # That it is queued is no success yet: its verdict follows on that page.
    assert "@@maildrophost-controlpanel-test?message=" in owner.url
    assert f"The mail for {SITE_ADDRESS} is in the queue." in owner.contents
    [(message, _)] = queued()
    assert addresses(message) == [SITE_ADDRESS]
    assert message.lane.label == "interactive"


def test_a_page_that_fails_after_sending_leaves_nothing(
    committing_portal, owner, queued
):
    addDTMLMethod(
        committing_portal,
        "broken",
        file='<dtml-sendmail mailhost="MailHost">'
        "To: you@example.net\nFrom: me@example.net\nSubject: Never\n\nHi"
        "</dtml-sendmail><dtml-raise ValueError>broken</dtml-raise>",
    )
    transaction.commit()

    with pytest.raises(ValueError, match="broken"):
        owner.open("http://nohost/plone/broken")

    assert queued() == []
