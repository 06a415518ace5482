"""Mail that a visitor of Volto causes, by Plone's own services."""

from __future__ import annotations

import pytest
import transaction
from plone import api
from plone.registry.interfaces import IRegistry
from zope.component import getUtility

from collective.maildrophost.engine.queue import content, list_messages


@pytest.fixture
def queued(hands):
    """The only message in the queue: lane, recipients, text."""

    def only():
        with hands.queue.read() as tx:
            [message] = list_messages(tx)
            text = content(tx, message.id).decode()
        addresses = [each.address for each in message.recipients]
        return message.lane.label, addresses, text

    return only


@pytest.fixture
def member(site):
    """Somebody with a password and an address."""
    api.user.create(
        email="member@example.net", username="member", password="a long secret"
    )
    transaction.commit()


def test_a_lost_password_overtakes_everything(client, member, queued):
    answer = client().post("@users/member/reset-password", json={})

    assert answer.status_code == 200, answer.text
    lane, addresses, text = queued()
    assert (lane, addresses) == ("interactive", ["member@example.net"])
    assert "/passwordreset/" in text or "/password-reset/" in text


def test_a_registration_overtakes_everything(client, site, queued):
    getUtility(IRegistry)["plone.enable_self_reg"] = True
    site.manage_permission("Add portal member", ["Anonymous"], acquire=1)
    transaction.commit()

    newcomer = {
        "username": "newcomer",
        "email": "newcomer@example.net",
        "sendPasswordReset": True,
    }
    answer = client().post("@users", json=newcomer)

    assert answer.status_code == 201, answer.text
    assert queued()[:2] == ("interactive", ["newcomer@example.net"])


def test_a_contact_form_is_queued(client, site, queued):
    answer = client().post(
        "@email-notification",
        json={
            "from": "visitor@example.net",
            "message": "How much is it?",
            "name": "A Visitor",
            "subject": "A question",
        },
    )

    assert answer.status_code == 204, answer.text
    _, addresses, text = queued()
    assert addresses == ["postmaster@example.org"]
    assert "How much is it?" in text
