"""The tabs Edit and Maildrop Log."""

from __future__ import annotations

import re

import pytest

from collective.maildrophost.engine.queue import RelayPause, clear, pause


def test_the_edit_tab_shows_where_mail_goes(browser, instance):
    page = browser.get("MailHost/manage_main")
    assert page.status == 200
    assert "relay.example.org:25" in page.text
    assert f"{instance}/main/queue.db" in page.text
    assert "No daemon works on this queue" in page.text
    assert 'id="fault"' not in page.body


@pytest.mark.parametrize(("relay", "told"), [("relay.example.org", 1), ("old", 0)])
def test_without_a_daemon_only_the_fault_of_the_configured_relay_is_shown(
    browser, main_queue, relay, told
):
    with main_queue.write() as tx:
        pause(tx, RelayPause(f"{relay}:25", "login refused", 1e9, 2e9, 1))
    page = browser.get("MailHost/manage_main")
    with main_queue.write() as tx:
        clear(tx, f"{relay}:25")
    assert page.text.count("login refused") == told


@pytest.mark.parametrize(
    "tab", ["manage_main", "manage_queue", "manage_log", "manage_access"]
)
def test_every_tab_names_the_others(browser, tab):
    page = browser.get(f"MailHost/{tab}")
    assert page.status == 200
    assert re.search(r"Edit .*Queue .*Maildrop Log .*Security", page.text)
    assert browser.get("MailHost/manage_workspace").url.endswith("/manage_main")


def test_settings_are_saved(browser):
    browser.add("settings", path_key="main")
    form = {"title": "Changed", "path_key": "DEFAULT"}
    unchecked = {**form, "transactional:boolean:default": ""}
    page = browser.post("settings/manage_makeChanges", unchecked)
    assert page.url.split("?")[0].endswith("settings/manage_main")
    assert "The settings are saved." in page.text
    assert 'value="Changed"' in page.body
    assert not re.search(r'id="transactional"[^>]*checked', page.body)
    assert re.search(r'<option value="DEFAULT" selected', page.body)
    checked = {**unchecked, "transactional:boolean": "1"}
    page = browser.post("settings/manage_makeChanges", checked)
    assert re.search(r'id="transactional"[^>]*checked', page.body)


@pytest.mark.parametrize("off", ["", "0", "False"])
def test_a_script_may_say_in_words_that_the_mode_is_off(browser, off):
    browser.add("settings", path_key="main")
    form = {"title": "Changed", "transactional": off}
    page = browser.post("settings/manage_makeChanges", form)
    assert not re.search(r'id="transactional"[^>]*checked', page.body)


def test_a_configuration_that_cannot_be_used_is_not_chosen(browser):
    page = browser.post(
        "MailHost/manage_makeChanges", {"title": "t", "path_key": "broken"}
    )
    assert "broken.conf:2: SMTP_PORT" in page.text
    assert "saved" not in page.text
    again = browser.get("MailHost/manage_main")
    assert re.search(r'<option value="main" selected', again.body)
    assert 'value="t"' not in again.body


def test_every_tab_says_that_the_configuration_went_away(browser, instance):
    conf = instance / "main" / "main.conf"
    conf.rename(instance / "moved.conf")
    try:
        for tab in ("manage_main", "manage_queue", "manage_log"):
            page = browser.get(f"MailHost/{tab}")
            assert page.status == 200
            assert 'id="fault"' in page.body
            assert "main.conf" in page.text
        page = browser.post("MailHost/manage_makeChanges", {"title": "still works"})
        assert "The settings are saved." in page.text
    finally:
        (instance / "moved.conf").rename(conf)


def test_the_log_tab_shows_the_newest_lines_as_text(browser, instance):
    log = instance / "main" / "var" / "maildrop.log"
    log.parent.mkdir(exist_ok=True)
    log.write_text("x" * 60_000 + "\nsent <to@example.org>\n")
    page = browser.get("MailHost/manage_log")
    assert "sent &lt;to@example.org&gt;" in page.body
    assert page.body.count("x") < 51_000


def test_the_log_tab_says_why_it_shows_nothing(browser, instance):
    log = instance / "main" / "var" / "maildrop.log"
    log.unlink(missing_ok=True)
    page = browser.get("MailHost/manage_log")
    assert "Nothing has been logged yet." in page.text
    log.mkdir(parents=True)
    try:
        page = browser.get("MailHost/manage_log")
    finally:
        log.rmdir()
    assert f"{log}: Is a directory" in page.text
    assert "Nothing has been logged yet." not in page.text
