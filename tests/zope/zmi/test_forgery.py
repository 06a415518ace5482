"""Who may do what in the management interface, and from where."""

from __future__ import annotations

import urllib.error
import urllib.parse
import urllib.request

import pytest


def test_nothing_acts_on_a_mere_link(browser, prepared, states):
    for action in (
        "manage_releaseBatch",
        "manage_discardBatch",
        "manage_makeChanges",
        "manage_actOnMessages",
    ):
        answer = browser.get(f"MailHost/{action}", batch=prepared, title="x", sure="1")
        assert answer.status == 404
    assert states() == ["prepared", "prepared"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example.org"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_form_of_another_site_is_refused(browser, prepared, states, headers):
    fields = {"batch": prepared, "title": "x", "id": "forged", "action": "delete"}
    fields["sure"] = "1"
    for path in (
        "MailHost/manage_discardBatch",
        "MailHost/manage_makeChanges",
        "MailHost/manage_actOnMessages",
        "manage_addProduct/collective.maildrophost/manage_addMaildropHost",
    ):
        assert browser.post(path, fields, headers=headers).status == 403
    assert states() == ["prepared", "prepared"]
    assert browser.get("forged/manage_main").status == 404


@pytest.mark.parametrize("tab", ["manage_main", "manage_queue", "manage_log"])
def test_no_page_of_another_site_shows_a_tab_in_a_frame(browser, tab):
    """Clicks meant for that page would press the buttons of the tab."""
    answer = browser.get(f"MailHost/{tab}")
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"


@pytest.mark.parametrize("more", [{"path_key": "25"}, {"REQUEST": "anna"}])
def test_a_form_of_another_site_that_looks_like_a_call_by_a_program_is_refused(
    browser, more
):
    fields = {"title": "forged", "transactional": "x", **more}
    headers = {"Origin": "https://evil.example.org"}
    path = "MailHost/manage_makeChanges"
    assert browser.post(path, fields, headers=headers).status == 403


@pytest.mark.parametrize("kind", ["fetch", "origin", "proxy"])
def test_a_form_of_this_site_is_accepted(browser, prepared, states, kind):
    headers = {
        "fetch": {"Sec-Fetch-Site": "same-origin"},
        "origin": {"Origin": browser.base},
        "proxy": {"Origin": "https://www.example.org", "Host": "www.example.org"},
    }[kind]
    path = "MailHost/manage_discardBatch"
    fields = {"batch": prepared, "sure": "1"}
    if kind == "proxy":
        # Its redirect leads to a host that is not there.
        with pytest.raises(urllib.error.URLError):
            browser.post(path, fields, headers=headers)
    else:
        browser.post(path, fields, headers=headers)
    assert states() == []


@pytest.mark.parametrize(
    "path",
    ["manage_main", "manage_queue", "manage_log"],
)
def test_strangers_see_nothing(browser, path):
    assert browser.get(f"MailHost/{path}", None).status == 401


@pytest.mark.parametrize("path", ["getLog", "addConfigPath", "setConfigPath"])
def test_what_programs_call_has_no_address_of_its_own(browser, path):
    assert browser.get(f"MailHost/{path}", key="x", path="/x").status == 404
