"""The management interface of a plain Zope, over real HTTP."""

from __future__ import annotations

import base64
import html
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
from waiting import wait_until

from collective.maildrophost.engine.message import Lane, Message
from collective.maildrophost.engine.queue import (
    discard,
    enqueue,
    list_messages,
    new_batch,
    open_queue,
    prepare,
    remove,
)

ADMIN = "admin:admin"


class Answer:
    """What Zope answered, its text as a person reads it."""

    def __init__(self, response):
        self.status = response.status
        self.url = response.url
        self.body = response.read().decode()
        text = re.sub(r"<[^>]*>", " ", self.body)
        self.text = " ".join(html.unescape(text).split())


class Browser:
    """Talks to one Zope; follows redirects."""

    def __init__(self, base):
        self.base = base

    def get(self, path, user=ADMIN, /, **query):
        suffix = f"?{urllib.parse.urlencode(query)}" if query else ""
        return self._open(path + suffix, None, user, {})

    def post(self, path, fields, user=ADMIN, headers=()):
        data = urllib.parse.urlencode(fields).encode()
        return self._open(path, data, user, dict(headers))

    def _open(self, path, data, user, headers):
        request = urllib.request.Request(f"{self.base}/{path}", data, headers)
        if user:
            token = base64.b64encode(user.encode()).decode()
            request.add_header("Authorization", f"Basic {token}")
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return Answer(response)
        except urllib.error.HTTPError as error:
            return Answer(error)


@pytest.fixture(scope="module")
def instance(tmp_path_factory):
    """The instance directory of the Zope that runs."""
    directory = tmp_path_factory.mktemp("zope")
    (directory / "main").mkdir()
    (directory / "main" / "main.conf").write_text(
        f'MAILDROP_HOME="{directory}/main"\nSMTP_HOST="relay.example.org"\n'
    )
    (directory / "broken.conf").write_text('MAILDROP_HOME="/x"\nSMTP_PORT=many\n')
    return directory


@pytest.fixture(scope="module")
def browser(instance):
    script = Path(__file__).parent / "scripts" / "plain_zope.py"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    environment.pop("MAILDROP_CONFIG", None)
    process = subprocess.Popen(
        [sys.executable, str(script), str(instance)],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    port = process.stdout.readline().strip()
    assert port, "Zope did not start"
    found = Browser(f"http://127.0.0.1:{port}")
    add(found, "MailHost", path_key="main")
    yield found
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def main_queue(instance):
    queue = open_queue(f"sqlite:///{instance}/main/queue.db")
    yield queue
    queue.close()


@pytest.fixture(autouse=True)
def empty_queue(main_queue):
    with main_queue.write() as tx:
        found = list_messages(tx)
        remove(tx, [message.id for message in found])
        for message in found:
            if message.batch:
                discard(tx, message.batch)


def add(browser, id, **fields):
    form = {"id": id, "title": "", "submit": "Add", **fields}
    path = "manage_addProduct/collective.maildrophost/manage_addMaildropHost"
    return browser.post(path, form)


def mail(subject):
    return Message(
        sender="from@example.org",
        recipients=("to@example.org",),
        content=b"Subject: hello\r\n\r\nhello\r\n",
        lane=Lane.NORMAL,
        due=None,
        subject=subject,
        message_id="<1@example.org>",
    )


@pytest.fixture
def prepared(main_queue):
    """A batch of two mails whose transaction never ended."""
    batch = new_batch()
    with main_queue.write() as tx:
        mails = [mail("in doubt"), mail("in doubt, too")]
        prepare(tx, batch, mails, time.time(), "/MailHost on web1, process 17")
    return batch


@pytest.fixture
def states(main_queue):
    def in_queue():
        with main_queue.read() as tx:
            return [message.state.value for message in list_messages(tx)]

    return in_queue


def test_it_is_offered_in_the_list_of_things_to_add(browser):
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
    answer = add(browser, "another", title="Newsletter mail")
    assert answer.status == 200
    assert answer.url.endswith("/manage_main")
    assert "another" in answer.text
    assert "Newsletter mail" in browser.get("another/manage_main").body


def test_one_with_a_configuration_that_cannot_be_used_is_not_added(browser):
    answer = add(browser, "unusable", path_key="broken")
    assert "Nothing was added" in answer.text
    assert "broken.conf:2: SMTP_PORT" in answer.text
    assert browser.get("unusable/manage_main").status == 404


def test_the_edit_tab_shows_where_mail_goes(browser, instance):
    page = browser.get("MailHost/manage_main")
    assert page.status == 200
    assert "relay.example.org:25" in page.text
    assert f"{instance}/main/queue.db" in page.text
    assert "No daemon works on this queue" in page.text
    assert 'id="fault"' not in page.body


@pytest.mark.parametrize(
    "tab", ["manage_main", "manage_queue", "manage_log", "manage_access"]
)
def test_every_tab_names_the_others(browser, tab):
    page = browser.get(f"MailHost/{tab}")
    assert page.status == 200
    assert re.search(r"Edit .*Queue .*Maildrop Log .*Security", page.text)
    assert browser.get("MailHost/manage_workspace").url.endswith("/manage_main")


def test_settings_are_saved(browser):
    add(browser, "settings", path_key="main")
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


def test_a_configuration_that_cannot_be_used_is_not_chosen(browser):
    page = browser.post(
        "MailHost/manage_makeChanges", {"title": "t", "path_key": "broken"}
    )
    assert "broken.conf:2: SMTP_PORT" in page.text
    assert "saved" not in page.text
    again = browser.get("MailHost/manage_main")
    assert re.search(r'<option value="main" selected', again.body)
    assert 'value="t"' not in again.body


def test_a_configuration_that_went_away_is_told_on_every_tab(browser, instance):
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


def test_the_queue_tab_lists_messages_as_text(browser, main_queue):
    with main_queue.write() as tx:
        (id,) = enqueue(tx, [mail("<script>alert(1)</script>")], time.time())
    page = browser.get("MailHost/manage_queue")
    assert page.status == 200
    assert f"{id} queued normal" in page.text
    assert "to@example.org" in page.text
    assert "<script>alert" not in page.body
    assert "&lt;script&gt;alert" in page.body


def test_the_queue_tab_shows_one_state(browser, main_queue):
    with main_queue.write() as tx:
        enqueue(tx, [mail("waits")], time.time())
    assert "waits" in browser.get("MailHost/manage_queue", state="queued").text
    assert "waits" not in browser.get("MailHost/manage_queue", state="failed").text
    assert browser.get("MailHost/manage_queue", state="nonsense").status == 200


def test_the_queue_tab_has_pages(browser, main_queue):
    with main_queue.write() as tx:
        enqueue(tx, [mail(f"number {n:03}") for n in range(60)], time.time())
    first = browser.get("MailHost/manage_queue")
    assert "number 000" in first.text
    assert "number 055" not in first.text
    later = re.search(r'href="(manage_queue\?[^"]*)"', first.body).group(1)
    second = browser.get(f"MailHost/{html.unescape(later)}")
    assert "number 055" in second.text
    assert "number 000" not in second.text


def test_batches_in_doubt_are_shown_with_what_to_do(browser, prepared):
    page = browser.get("MailHost/manage_queue")
    assert prepared in page.text
    assert "/MailHost on web1, process 17" in page.text
    assert 'value="Release"' in page.body
    assert 'value="Discard"' in page.body


def test_a_batch_is_released_by_hand(browser, prepared, states):
    page = browser.post("MailHost/manage_releaseBatch", {"batch": prepared})
    assert "2 mails released." in page.text
    assert prepared not in page.text
    assert states() == ["queued", "queued"]


def test_a_batch_is_discarded_by_hand(browser, prepared, states):
    page = browser.post("MailHost/manage_discardBatch", {"batch": prepared})
    assert "2 mails discarded." in page.text
    assert states() == []


def test_nothing_acts_on_a_mere_link(browser, prepared, states):
    for action in ("manage_releaseBatch", "manage_discardBatch", "manage_makeChanges"):
        answer = browser.get(f"MailHost/{action}", batch=prepared, title="x")
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
    fields = {"batch": prepared, "title": "x", "id": "forged"}
    for path in (
        "MailHost/manage_discardBatch",
        "MailHost/manage_makeChanges",
        "manage_addProduct/collective.maildrophost/manage_addMaildropHost",
    ):
        assert browser.post(path, fields, headers=headers).status == 403
    assert states() == ["prepared", "prepared"]
    assert browser.get("forged/manage_main").status == 404


@pytest.mark.parametrize("kind", ["fetch", "origin", "proxy"])
def test_a_form_of_this_site_is_accepted(browser, prepared, states, kind):
    headers = {
        "fetch": {"Sec-Fetch-Site": "same-origin"},
        "origin": {"Origin": browser.base},
        "proxy": {"Origin": "https://www.example.org", "Host": "www.example.org"},
    }[kind]
    path = "MailHost/manage_discardBatch"
    if kind == "proxy":
        # Its redirect leads to a host that is not there.
        with pytest.raises(urllib.error.URLError):
            browser.post(path, {"batch": prepared}, headers=headers)
    else:
        browser.post(path, {"batch": prepared}, headers=headers)
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


def test_the_log_tab_shows_the_newest_lines_as_text(browser, instance):
    log = instance / "main" / "var" / "maildrop.log"
    log.parent.mkdir(exist_ok=True)
    log.write_text("x" * 60_000 + "\nsent <to@example.org>\n")
    page = browser.get("MailHost/manage_log")
    assert "sent &lt;to@example.org&gt;" in page.body
    assert page.body.count("x") < 51_000


def test_a_dtml_method_of_the_site_sends_through_it(browser, states):
    source = (
        '<dtml-sendmail mailhost="MailHost">\nTo: to@example.org\n'
        "From: from@example.org\nSubject: from a page\n\nhello\n</dtml-sendmail>sent"
    )
    browser.post("manage_addDTMLMethod", {"id": "page", "file": source})
    assert browser.get("page").text == "sent"
    assert wait_until(states, what="the mail in the queue") == ["queued"]


def test_the_copies_of_a_host_keep_its_settings(browser):
    add(browser, "original", path_key="main", title="Kept")
    browser.post("manage_renameObject", {"id": "original", "new_id": "renamed"})
    page = browser.get("renamed/manage_main")
    assert 'value="Kept"' in page.body
    assert re.search(r'<option value="main" selected', page.body)
