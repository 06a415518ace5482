"""Mail of Plone's less known forms and services: in the queue, in the right lane."""

from __future__ import annotations

import json

import pytest
import transaction
from plone import api
from plone.testing.zope import Browser

PASSWORD = "a long secret"
SITE = "http://nohost/plone"


@pytest.fixture
def member(functional_test, committing_portal):
    """The browser of somebody with a password and an address."""
    api.user.create(email="me@example.net", username="member", password=PASSWORD)
    transaction.commit()
    browser = Browser(functional_test["app"])
    browser.handleErrors = False
    browser.addHeader("Authorization", f"Basic member:{PASSWORD}")
    return browser


@pytest.fixture
def the_mail(queued):
    """The one mail in the queue: its recipients, its lane and its subject."""

    def one():
        [(message, _)] = queued()
        to = [recipient.address for recipient in message.recipients]
        return to, message.lane.label, message.subject

    return one


def test_a_recommended_page_goes_to_the_friend_it_is_for(
    committing_portal, owner, the_mail
):
    api.content.create(committing_portal, "Document", "news", title="The news")
    transaction.commit()

    owner.open(f"{SITE}/news/sendto_form")
    owner.getControl(name="form.widgets.send_to_address").value = "you@example.net"
    owner.getControl(name="form.widgets.send_from_address").value = "me@example.net"
    owner.getControl(name="form.buttons.send").click()

    assert "Mail sent." in owner.contents
    assert the_mail() == (["you@example.net"], "normal", "The news")


def test_what_a_member_writes_to_an_author_goes_to_that_author(member, the_mail):
    api.user.create(email="author@example.net", username="author", password=PASSWORD)
    transaction.commit()

    member.open(f"{SITE}/author/author")
    member.getControl(name="form.widgets.subject").value = "Your page"
    member.getControl(name="form.widgets.message").value = "Well done"
    member.getControl(name="form.buttons.send").click()

    assert "Mail sent." in member.contents
    assert the_mail() == (["author@example.net"], "normal", "Your page")


def test_a_password_that_an_administrator_resets_overtakes_other_mail(
    member, owner, the_mail
):
    owner.open(f"{SITE}/@@usergroup-userprefs")
    # The first of the list is "member".
    owner.getControl(name="users.resetpassword:records").controls[0].selected = True
    owner.getControl(name="form.button.Modify").click()

    assert the_mail()[:2] == (["me@example.net"], "interactive")


@pytest.mark.parametrize(
    ("service", "sent", "to", "lane"),
    [
        ("@users/member/reset-password", {}, "me@example.net", "interactive"),
        (
            "@email-notification",
            {"from": "you@example.net", "message": "Hi there"},
            "postmaster@example.org",
            "normal",
        ),
    ],
)
def test_mail_that_volto_asks_for_is_in_its_lane(
    member, visitor, the_mail, service, sent, to, lane
):
    visitor.addHeader("Accept", "application/json")
    visitor.post(f"{SITE}/{service}", json.dumps(sent), "application/json")

    assert the_mail()[:2] == ([to], lane)
