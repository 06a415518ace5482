"""A plain Zope that runs, and a browser for its management interface."""

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

from collective.maildrophost.engine.message import Lane, Message
from collective.maildrophost.engine.queue import (
    delete_messages,
    discard,
    list_messages,
    new_batch,
    open_queue,
    prepare,
)

ADMIN = "admin:admin"
HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items):
    # A Zope takes seconds to start: one worker starts one.
    for item in items:
        if HERE in Path(item.path).parents:
            item.add_marker(pytest.mark.xdist_group("zmi"))


class Answer:
    """What Zope answered, its text as a person reads it."""

    def __init__(self, response):
        self.status = response.status
        self.url = response.url
        self.headers = response.headers
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

    def add(self, id, **fields):
        """Fill in the form that adds a Maildrop Host."""
        form = {"id": id, "title": "", "submit": "Add", **fields}
        path = "manage_addProduct/collective.maildrophost/manage_addMaildropHost"
        return self.post(path, form)

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


@pytest.fixture(scope="session")
def instance(tmp_path_factory):
    """The instance directory of the Zope that runs."""
    directory = tmp_path_factory.mktemp("zope")
    (directory / "main").mkdir()
    (directory / "main" / "main.conf").write_text(
        f'MAILDROP_HOME="{directory}/main"\nSMTP_HOST="relay.example.org"\n'
    )
    (directory / "broken.conf").write_text('MAILDROP_HOME="/x"\nSMTP_PORT=many\n')
    return directory


@pytest.fixture(scope="session")
def browser(instance):
    script = HERE.parent / "scripts" / "plain_zope.py"
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
    found.add("MailHost", path_key="main")
    yield found
    process.kill()
    process.wait()


@pytest.fixture(scope="session")
def main_queue(instance):
    queue = open_queue(f"sqlite:///{instance}/main/queue.db")
    yield queue
    queue.close()


@pytest.fixture(autouse=True)
def empty_queue(main_queue):
    with main_queue.write() as tx:
        found = list_messages(tx)
        delete_messages(tx, [message.id for message in found])
        for message in found:
            if message.batch:
                discard(tx, message.batch)


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


@pytest.fixture(name="mail")
def mail_fixture():
    return mail


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
