"""Who may reach what of the add-on has an address, tried with every one of them."""

from __future__ import annotations

import re

import pytest
import transaction
from AccessControl.SecurityManagement import (
    getSecurityManager,
    noSecurityManager,
    setSecurityManager,
)
from addresses import (
    ACTION,
    METHODS,
    NO_ADDRESS,
    PAGE,
    POST,
    PUBLIC_PAGE,
    VIEWS,
)
from plone.registry.interfaces import IRegistry
from zExceptions import Unauthorized
from zope.component import getUtility

from collective.maildrophost.api.controlpanel import MaildropHostControlpanel
from collective.maildrophost.api.deserializer import SettingsDeserializer
from collective.maildrophost.api.serializer import SettingsSerializer
from collective.maildrophost.permissions import MANAGE_MAIL_QUEUE

SECRET = "for nobody else"
TOKEN = re.compile(r'name="_authenticator" value="(\w+)"')


@pytest.fixture
def mails(hands):
    """One mail in each state that something can be done to, and a batch in doubt."""
    states = ("queued", "deferred", "held", "failed", "prepared")
    return {state: hands.in_state(state, subject=SECRET) for state in states}


@pytest.fixture
def everything(site, hands, mails):
    """All that somebody could change: messages, lanes, settings."""

    def look():
        transaction.begin()
        mail_host = site.MailHost
        return (
            {id: hands.state(id) for id in hands.ids()},
            mail_host.title,
            mail_host.getConfigKey(),
            mail_host.isTransactional(),
            hands.held_lanes(),
            getUtility(IRegistry)["plone.email_from_name"],
        )

    return look


def forms(mails, batch):
    """What a page of another site could send to a page or an action of ours."""
    for action in ("retry", "hold", "release", "delete", "discard"):
        yield [
            ("action", action),
            ("decision", action),
            ("scope", "all"),
            ("confirmed", "1"),
            *[("ids:list", id) for id in mails.values()],
            ("id", mails["failed"]),
            ("batch", batch),
            ("lane", "bulk"),
            ("recipient", "victim@example.net"),
            # The management interface.
            ("title", "forged"),
            ("transactional", ""),
            ("path_key", "DEFAULT"),
            # Forms of z3c.form.
            ("form.widgets.title", "forged"),
            ("form.widgets.configuration:list", "DEFAULT"),
            ("form.widgets.email_from_name", "forged"),
            ("form.widgets.email_from_address", "forged@example.net"),
            *[(f"form.buttons.{name}", name) for name in ("save", "test", "send")],
            ("_authenticator", "0" * 40),
        ]


def refused(answer):
    """Not done and not shown: an error, or the way to the login."""
    to_login = answer.status_code == 302 and "login" in answer.headers["Location"]
    return to_login or answer.status_code in (401, 403, 404, 405)


def pages(kinds):
    return [f"@@{name}" for name, row in VIEWS.items() if row.kind in kinds]


def shown_methods():
    return [f"MailHost/{name}" for name, each in METHODS.items() if each.methods]


def hidden_methods():
    # The last two are MailHost's own.
    hidden = [name for name, each in METHODS.items() if not each.methods]
    return [f"MailHost/{name}" for name in (*hidden, "simple_send", "sendTemplate")]


@pytest.fixture
def browse(client):
    """Makes a client that asks as a browser does, and follows nothing."""

    def make(like=None):
        browser = like or client()
        browser.headers["Accept"] = "text/html"
        return lambda *args, **kwargs: browser.request(
            *args, allow_redirects=False, **kwargs
        )

    return make


@pytest.mark.parametrize("role", ["", "Member", "Editor", "Reviewer"])
def test_only_those_who_run_the_site_see_or_do_anything(
    browse, person, mails, hands, everything, role
):
    ask = browse(person(role) if role else None)
    before = everything()
    form = next(forms(mails, hands.batch(mails["prepared"])))

    for path in [*pages({PAGE, ACTION, NO_ADDRESS}), *shown_methods()]:
        for answer in (
            ask("GET", path, params=form),
            ask("POST", path, data=form),
        ):
            assert refused(answer), path
            assert SECRET not in answer.text, path
            assert "you@example.net" not in answer.text, path
    assert everything() == before


def test_the_text_of_a_mail_is_shown_on_one_page_and_to_managers_only(
    browse, rest, person, hands
):
    # With the mail for a lost password of a Manager one could become a Manager.
    link = "passwordreset-6d1f"
    (id,) = hands.send(hands.mail("someone@example.net", text=f"Go to {link}"))
    administrator = person("Site Administrator")
    services = ["@maildrop", "@maildrop/messages", f"@maildrop/messages/{id}"]

    def shown(client):
        ask, form = browse(client), {"id": id, "text": "someone", "message": id}
        every = [*pages({PAGE, ACTION}), *shown_methods()]
        answers = {path: ask("GET", path, params=form).text for path in every}
        token = TOKEN.search(answers["@@maildrophost-controlpanel-test"])[1]
        delete = {"_authenticator": token, "action": "delete", "ids:list": id}
        answers["question"] = ask("POST", "@@maildrophost-act", data=delete).text
        assert "someone@example.net" in answers["question"]
        for path in services:
            json = ask("GET", path, headers={"Accept": "application/json"})
            answers[path] = json.text
        assert "someone@example.net" in answers[services[-1]]
        return [path for path, text in answers.items() if link in text]

    assert shown(rest) == ["@@maildrophost-controlpanel-message"]
    assert shown(administrator) == []


def test_public_pages_show_nothing_of_the_queue(browse, mails):
    for path in pages({PUBLIC_PAGE}):
        for where in (path, f"portal_registration/{path}"):
            assert SECRET not in browse()("GET", where).text


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_programs_call_has_no_address_even_for_a_manager(
    browse, rest, everything, method
):
    ask = browse(rest)
    before = everything()
    mail = {
        "messageText": "Hi",
        "body": "Hi",
        "subject": "forged",
        "mto": "victim@example.net",
        "mfrom": "me@example.org",
        "messageTemplate": "title",
        "key": "DEFAULT",
        "path": "/etc/passwd",
        "transactional": "",
    }

    for path in hidden_methods():
        answer = ask(method, path, **{"params" if method == "GET" else "data": mail})
        assert answer.status_code in (403, 404), path
    assert everything() == before


def test_a_mere_link_changes_nothing(browse, rest, mails, hands, everything):
    ask = browse(rest)
    before = everything()

    for form in forms(mails, hands.batch(mails["prepared"])):
        for path in pages({ACTION}):
            assert refused(ask("GET", path, params=form)), path
        for path in (*pages({PAGE}), *shown_methods()):
            ask("GET", path, params=form)
    assert everything() == before


def test_a_form_of_another_site_changes_nothing(browse, rest, mails, hands, everything):
    # It has the cookies of the user, and not the token that is in our forms.
    ask = browse(rest)
    before = everything()

    for form in forms(mails, hands.batch(mails["prepared"])):
        for path in pages({ACTION}):
            assert ask("POST", path, data=form).status_code == 403, path
        for path in pages({PAGE}):
            ask("POST", path, data=form)
    assert everything() == before


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.example.org"}, {"Sec-Fetch-Site": "cross-site"}],
)
def test_a_form_of_another_site_changes_nothing_in_the_management_interface(
    browse, rest, mails, hands, everything, headers
):
    # Plain Zope has no tokens: what the browser says of the sender counts.
    ask = browse(rest)
    before = everything()
    acting = [name for name, each in METHODS.items() if each.methods == POST]

    for form in forms(mails, hands.batch(mails["prepared"])):
        for name in acting:
            answer = ask("POST", f"MailHost/{name}", data=form, headers=headers)
            assert answer.status_code == 403, name
    assert everything() == before


MARKUP = "</textarea></script><script>alert(1)</script><img src=x onerror=alert(1)>"


def test_what_a_mail_says_stays_text_on_every_page(browse, rest, hands):
    hands.send(hands.mail(subject=MARKUP))
    id = hands.in_state("deferred", subject=MARKUP)
    hands.in_state("prepared", subject=MARKUP)
    ask = browse(rest)

    shown = 0
    for path in (*pages({PAGE}), *shown_methods()):
        answer = ask("GET", path, params={"id": id, "text": MARKUP, "state": MARKUP})
        assert "<script>alert(1)" not in answer.text, path
        assert "<img src=x" not in answer.text, path
        shown += "&lt;script&gt;alert(1)" in answer.text
    # The Queue tab at least.
    assert shown


def test_what_is_sent_to_a_page_never_becomes_a_header(browse, rest, mails):
    ask = browse(rest)
    split = "x\r\nSet-Cookie: forged=1"

    for path in (*pages({PAGE, ACTION}), *shown_methods()):
        for method, sent in (("GET", "params"), ("POST", "data")):
            form = dict.fromkeys(("id", "batch", "title", "from", "text"), split)
            answer = ask(method, path, **{sent: form})
            assert "forged" not in answer.headers.get("Set-Cookie", ""), path


@pytest.fixture
def stranger():
    """Nobody is logged in."""
    before = getSecurityManager()
    noSecurityManager()
    yield
    setSecurityManager(before)


def test_serializer_and_deserializer_check_the_permission_themselves(site, stranger):
    panel = MaildropHostControlpanel(site, site.REQUEST)

    for adapter in (SettingsSerializer(panel), SettingsDeserializer(panel)):
        with pytest.raises(Unauthorized, match=MANAGE_MAIL_QUEUE):
            adapter()
