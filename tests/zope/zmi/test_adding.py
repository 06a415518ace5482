"""A Maildrop Host is added to a folder, and used there."""

from __future__ import annotations

import re

import pytest
from waiting import wait_until


def test_a_host_is_offered_in_the_list_of_things_to_add(browser):
    assert "Maildrop Host" in browser.get("manage_main").body


def test_the_add_form_offers_the_configurations(browser, instance):
    form = browser.get(
        "manage_addProduct/collective.maildrophost/manage_addMaildropHostForm"
    )
    assert form.status == 200
    assert f"main: {instance}/main/main.conf" in form.text
    assert f"DEFAULT: {instance}/main/main.conf" in form.text
    assert 'action="manage_addMaildropHost"' in form.body


def test_adding_one_leads_back_to_the_folder_that_lists_it(browser):
    answer = browser.add("another", title="Newsletter mail")
    assert answer.status == 200
    assert answer.url.endswith("/manage_main")
    assert "another" in answer.text
    assert "Newsletter mail" in browser.get("another/manage_main").body


def test_a_host_with_a_configuration_that_cannot_be_used_is_not_added(browser):
    answer = browser.add("unusable", path_key="broken")
    assert "Nothing was added" in answer.text
    assert "broken.conf:2: SMTP_PORT" in answer.text
    assert browser.get("unusable/manage_main").status == 404


@pytest.mark.parametrize(
    ("id", "why"), [("MailHost", "already in use"), ("a/b", "illegal in URLs")]
)
def test_a_host_with_an_impossible_id_is_not_added(browser, id, why):
    answer = browser.add(id, title="Another")
    assert answer.status == 200
    assert answer.url.split("?")[0].endswith("/manage_main")
    assert f'Nothing was added: The id "{id}"' in answer.text
    assert why in answer.text
    assert "Another" not in browser.get("MailHost/manage_main").body


def test_a_dtml_method_of_the_site_sends_through_it(browser, states):
    source = (
        '<dtml-sendmail mailhost="MailHost">\nTo: to@example.org\n'
        "From: from@example.org\nSubject: from a page\n\nhello\n</dtml-sendmail>sent"
    )
    browser.post("manage_addDTMLMethod", {"id": "page", "file": source})
    assert browser.get("page").text == "sent"
    assert wait_until(states, what="the mail in the queue") == ["queued"]


def test_the_copies_of_a_host_keep_its_settings(browser):
    browser.add("original", path_key="main", title="Kept")
    browser.post("manage_renameObject", {"id": "original", "new_id": "renamed"})
    page = browser.get("renamed/manage_main")
    assert 'value="Kept"' in page.body
    assert re.search(r'<option value="main" selected', page.body)
