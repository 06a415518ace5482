"""No cache in front of Zope keeps what is shown of mail."""

from __future__ import annotations

import re

import pytest
from addresses import METHODS, PAGE, VIEWS
from published import ANY_METHOD

TOKEN = re.compile(r'name="_authenticator" value="(\w+)"')
PAGES = [
    f"@@{name}"
    for name, row in VIEWS.items()
    if row.kind == PAGE and name.startswith("maildrophost")
]
TABS = [
    f"MailHost/{name}" for name, each in METHODS.items() if each.methods == ANY_METHOD
]


@pytest.fixture
def browser(rest):
    rest.headers["Accept"] = "text/html"
    return rest


@pytest.mark.parametrize("path", [*PAGES, *TABS])
def test_no_page_may_be_cached(browser, hands, path):
    answer = browser.get(path, params={"id": hands.in_state("queued")})
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("act", {"action": "delete", "scope": "all"}),
        ("batch", {"decision": "discard", "batch": "x"}),
    ],
)
def test_no_question_may_be_cached(browser, hands, action, fields):
    hands.in_state("queued")
    page = browser.get("@@maildrophost-controlpanel-test").text
    form = {"_authenticator": TOKEN.search(page)[1], **fields}
    answer = browser.post(f"@@maildrophost-{action}", data=form)
    assert "for good?" in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    [
        "@maildrop",
        "@maildrop/messages",
        "@maildrop/messages/{id}",
        "@maildrop/messages/0",
        "@controlpanels/maildrophost",
    ],
)
def test_no_answer_of_a_service_may_be_cached(rest, hands, path):
    id = hands.in_state("queued")
    answer = rest.get(path.format(id=id))
    assert answer.headers["Cache-Control"] == "no-store"
