"""Who may use the services, and from where."""

from __future__ import annotations

import pytest
import transaction
from addresses import SETTINGS
from plone.rest.cors import CORSPolicy
from plone.rest.interfaces import ICORSPolicy
from zope.component import getGlobalSiteManager
from zope.interface import Interface

from collective.maildrophost.permissions import MANAGE_MAIL_QUEUE

OVERVIEW = "Plone Site Setup: Overview"


@pytest.fixture
def failed(hands):
    """A message that somebody could retry or delete."""
    return hands.in_state("failed")


def every_request(id):
    return [
        ("GET", "@maildrop", None),
        ("GET", "@maildrop/messages", None),
        ("GET", f"@maildrop/messages/{id}", None),
        ("PATCH", f"@maildrop/messages/{id}", {"action": "retry"}),
        ("GET", SETTINGS, None),
        ("PATCH", SETTINGS, {"title": "Changed"}),
        ("DELETE", f"@maildrop/messages/{id}", None),
    ]


def answers(client, id, **options):
    return [
        client.request(method, path, json=body, **options)
        for method, path, body in every_request(id)
    ]


def nothing_changed(site, hands, id, title):
    transaction.begin()
    return hands.state(id) == "failed" and site.MailHost.title == title


def test_strangers_see_and_do_nothing(client, site, hands, failed):
    title = site.MailHost.title

    got = answers(client(), failed)

    assert {each.status_code for each in got} == {401}
    assert not any("example.net" in each.text for each in got)
    assert nothing_changed(site, hands, failed, title)


@pytest.mark.parametrize("role", ["Member", "Editor", "Reviewer", "Contributor"])
def test_a_member_or_editor_sees_and_does_nothing(person, site, hands, failed, role):
    title = site.MailHost.title

    got = answers(person(role), failed)

    assert {each.status_code for each in got} == {401}
    assert not any("example.net" in each.text for each in got)
    assert nothing_changed(site, hands, failed, title)


def test_the_permission_for_the_site_setup_alone_is_not_enough(
    person, site, hands, failed
):
    title = site.MailHost.title
    site.manage_permission(OVERVIEW, ["Editor", "Manager"], acquire=0)
    client = person("Editor")

    got = answers(client, failed)

    assert client.get("@controlpanels").status_code == 200
    assert {each.status_code for each in got} == {401}
    assert nothing_changed(site, hands, failed, title)
    titles = [each["title"] for each in client.get("@controlpanels").json()]
    assert "Maildrop Host" not in titles


@pytest.mark.parametrize("role", ["Manager", "Site Administrator"])
def test_whoever_runs_the_site_may_do_everything(person, hands, failed, role):
    got = answers(person(role), failed)

    assert [each.status_code for each in got] == [200, 200, 200, 204, 200, 204, 204]


def test_the_permission_can_be_given_to_others(person, site, hands, failed):
    site.manage_permission(MANAGE_MAIL_QUEUE, ["Reviewer"], acquire=1)
    client = person("Reviewer")

    assert client.get("@maildrop/messages").json()["items_total"] == 1
    # The settings are in the site setup, which has a permission of its own, too.
    assert client.get(SETTINGS).status_code == 401


FOREIGN = [
    {"Origin": "https://evil.example.org"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]


@pytest.mark.parametrize("headers", FOREIGN)
def test_a_page_of_another_site_changes_nothing(rest, site, hands, failed, headers):
    title = site.MailHost.title

    for method, path, body in every_request(failed):
        answer = rest.request(method, path, json=body, headers=headers)
        assert answer.status_code == (200 if method == "GET" else 403)
        # Without this the browser does not let that page read the answer.
        assert "Access-Control-Allow-Origin" not in answer.headers

    assert nothing_changed(site, hands, failed, title)


def test_a_browser_that_asks_for_a_page_of_another_site_is_told_no(rest, failed):
    for method in ("PATCH", "DELETE"):
        answer = rest.options(
            f"@maildrop/messages/{failed}",
            headers={
                "Origin": "https://evil.example.org",
                "Access-Control-Request-Method": method,
            },
        )
        assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.fixture
def cors():
    """The site's policy lets one other site in."""

    class Policy(CORSPolicy):
        allow_origin = ["https://frontend.example.org"]
        allow_methods = ["GET", "PATCH", "DELETE"]
        allow_credentials = True
        allow_headers = []
        expose_headers = []
        max_age = None

    registry = getGlobalSiteManager()
    registry.registerAdapter(Policy, (Interface, Interface), ICORSPolicy)
    yield
    registry.unregisterAdapter(Policy, (Interface, Interface), ICORSPolicy)


def test_a_frontend_of_another_site_works_where_the_policy_names_it(
    rest, cors, hands, failed
):
    headers = {"Origin": "https://frontend.example.org", "Sec-Fetch-Site": "cross-site"}

    got = answers(rest, failed, headers=headers)

    assert [each.status_code for each in got] == [200, 200, 200, 204, 200, 204, 204]


def test_a_policy_for_one_site_lets_no_other_in(rest, cors, hands, failed):
    got = answers(rest, failed, headers={"Origin": "https://evil.example.org"})

    assert [each.status_code for each in got] == [200, 200, 200, 403, 200, 403, 403]
    assert hands.state(failed) == "failed"


def test_a_frontend_of_this_site_works(rest, site, failed):
    origin = site.absolute_url().removesuffix("/plone")

    got = answers(rest, failed, headers={"Origin": origin})

    assert [each.status_code for each in got] == [200, 200, 200, 204, 200, 204, 204]


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_there_is_no_service_for_what_a_form_can_send(rest, hands, failed, method):
    answer = rest.request(
        method, f"@maildrop/messages/{failed}", json={"action": "retry"}
    )

    assert answer.status_code in (404, 405)
    assert hands.state(failed) == "failed"
