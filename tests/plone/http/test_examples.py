"""The requests and answers in docs/rest.md are those of the services.

With MAILDROP_WRITE_EXAMPLES=1 in the environment the files are written, not compared.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import transaction

from collective.maildrophost.engine.message import Lane
from collective.maildrophost.engine.queue import open_queue
from collective.maildrophost.engine.verdict import Outcome

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "docs" / "rest" / "examples"
PAGE = ROOT / "docs" / "rest.md"
WRITE = "MAILDROP_WRITE_EXAMPLES"
NOW = 1_767_258_000.0  # 2026-01-01T09:00:00Z
SITE = "https://www.example.org"
SHOWN_REQUEST_HEADERS = ("Accept", "Authorization", "Content-Type", "Prefer")
MESSAGE = "@maildrop/messages/2"

CASES = {
    "status": ("GET", "@maildrop", None, {}),
    "messages": ("GET", "@maildrop/messages?b_size=1", None, {}),
    "messages_search": (
        "GET",
        "@maildrop/messages?text=example.net&state=failed&state=deferred"
        "&sort_on=created&sort_order=descending",
        None,
        {},
    ),
    "messages_bad_request": ("GET", "@maildrop/messages?state=broken", None, {}),
    "message": ("GET", MESSAGE, None, {}),
    "message_not_found": ("GET", "@maildrop/messages/4711", None, {}),
    "message_retry": ("PATCH", MESSAGE, {"action": "retry"}, {}),
    "message_hold": (
        "PATCH",
        "@maildrop/messages/3",
        {"action": "hold"},
        {"Prefer": "return=representation"},
    ),
    "message_release": ("PATCH", "@maildrop/messages/4", {"action": "release"}, {}),
    "message_conflict": ("PATCH", MESSAGE, {"action": "hold"}, {}),
    "message_delete": ("DELETE", MESSAGE, None, {}),
    "queue_unavailable": ("GET", "@maildrop", None, {}),
    "controlpanel": ("GET", "@controlpanels/maildrophost", None, {}),
    "controlpanel_save": (
        "PATCH",
        "@controlpanels/maildrophost",
        {"configuration": "newsletter", "transactional": True},
        {},
    ),
    "controlpanel_bad_request": (
        "PATCH",
        "@controlpanels/maildrophost",
        {"configuration": "nowhere"},
        {},
    ),
}


@pytest.fixture
def srv(site, list_configurations, monkeypatch, tmp_path):
    """A site with two configurations, a new queue and a clock that stands still."""
    listed = {}
    for name in ("main", "newsletter"):
        path = tmp_path / "etc" / f"{name}.conf"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f'MAILDROP_HOME="{tmp_path}/{name}"\n')
        listed[name] = path
    list_configurations(**listed)
    monkeypatch.setenv("MAILDROP_CONFIG", str(tmp_path / "etc" / "main.conf"))
    for module in ("api.get", "engine.actions"):
        monkeypatch.setattr(
            f"collective.maildrophost.{module}.time",
            SimpleNamespace(time=lambda: NOW),
        )
    site.MailHost.title = "Mail of this site"
    transaction.commit()
    return tmp_path


@pytest.fixture
def mail_waits(hands, srv):
    """What the examples show: messages in some states, and a daemon."""
    hands.queue = open_queue(f"sqlite:///{srv}/main/queue.db")
    hands.now = NOW - 240
    hands.send(hands.mail("first@example.net", subject="Your order"))
    hands.attempt(Outcome.SENT)
    hands.send(
        hands.mail("gone@example.net", "second@example.net", subject="Invitation")
    )
    hands.attempt(Outcome.FAILED, Outcome.SENT)
    hands.now = NOW - 4
    hands.send(
        hands.mail("third@example.net", subject="Newsletter", lane=Lane.BULK),
    )
    hands.in_state("held", subject="Minutes")
    hands.now = NOW
    hands.daemon()
    yield
    hands.queue.close()


@pytest.mark.parametrize("name", CASES)
def test_the_documentation_shows_what_the_services_do(
    rest, site, srv, mail_waits, name
):
    method, path, body, headers = CASES[name]
    if name == "queue_unavailable":
        (srv / "etc" / "main.conf").write_text('MAILDROP_HOME="/srv"\nSMTP_PORT=many\n')

    answer = rest.request(method, path, json=body, headers=headers)

    def written(text):
        text = text.replace(site.absolute_url(), SITE).replace(str(srv), "/srv/site")
        return re.sub(r'"traceback": \[[^]]*\]', '"traceback": ["..."]', text)

    check(EXAMPLES / f"{name}.req", written(request_text(answer.request)))
    check(EXAMPLES / f"{name}.resp", written(answer_text(answer)))


def check(path, text):
    if os.environ.get(WRITE):
        path.write_text(text, encoding="utf-8")
    assert path.exists(), f"{path.name} is missing: run this test with {WRITE}=1"
    assert path.read_text(encoding="utf-8") == text


def request_text(request):
    headers = {
        name: "Basic YWRtaW46c2VjcmV0" if name == "Authorization" else value
        for name, value in request.headers.items()
        if name in SHOWN_REQUEST_HEADERS
    }
    path = request.path_url.removeprefix("/plone")
    lines = [f"{request.method} {path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in sorted(headers.items())]
    body = json.dumps(json.loads(request.body), indent=4) if request.body else ""
    return "\n".join([*lines, "", body]).rstrip() + "\n"


def answer_text(answer):
    lines = [f"HTTP/1.1 {answer.status_code} {answer.reason}"]
    if answer.text:
        lines.append(f"Content-Type: {answer.headers['Content-Type']}")
        lines += ["", json.dumps(answer.json(), indent=4, sort_keys=True)]
    return "\n".join(lines) + "\n"


BLOCK = "<!-- example: {name} -->\n```http\n{shown}```\n"
EXAMPLE = re.compile(BLOCK.format(name=r"(\w+)", shown="(.*?)"), re.DOTALL)


def shown_as(name):
    both = [(EXAMPLES / f"{name}{end}").read_text("utf-8") for end in (".req", ".resp")]
    return "\n".join(both)


def test_every_example_is_on_the_page():
    files = {path.name for path in EXAMPLES.iterdir()}
    assert files == {f"{name}{end}" for name in CASES for end in (".req", ".resp")}
    if os.environ.get(WRITE):
        written = EXAMPLE.sub(
            lambda found: BLOCK.format(name=found[1], shown=shown_as(found[1])),
            PAGE.read_text("utf-8"),
        )
        PAGE.write_text(written, encoding="utf-8")

    shown = dict(EXAMPLE.findall(PAGE.read_text("utf-8")))
    assert shown == {name: shown_as(name) for name in CASES}
