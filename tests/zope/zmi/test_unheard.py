"""What the Queue tab says when nobody knows what became of an action."""

from __future__ import annotations

from io import BytesIO

import pytest
from ZPublisher.HTTPRequest import HTTPRequest
from ZPublisher.HTTPResponse import HTTPResponse

from collective.maildrophost.engine.queue import Unheard
from collective.maildrophost.zmi import tabs


class Host(tabs.Tabs):
    """The tabs alone."""

    def getConfigKey(self):
        return "DEFAULT"

    def absolute_url(self):
        return "http://www.example.org/MailHost"


@pytest.fixture
def form():
    environ = {
        "REQUEST_METHOD": "POST",
        "SERVER_NAME": "www.example.org",
        "SERVER_PORT": "80",
    }
    return HTTPRequest(BytesIO(), environ, HTTPResponse())


@pytest.fixture(autouse=True)
def never_answered(monkeypatch):
    def act(*_arguments):
        raise Unheard("postgresql://db/q", "nobody knows whether it was committed")

    for name in ("act", "release_batch", "discard_batch"):
        monkeypatch.setattr(tabs, name, act)
    monkeypatch.setattr(tabs, "configured_queue", lambda key: None)


@pytest.mark.parametrize(
    ("method", "fields"),
    [
        ("manage_actOnMessages", {"action": "delete", "ids": ["1"], "sure": "1"}),
        ("manage_releaseBatch", {"batch": "x"}),
        ("manage_discardBatch", {"batch": "x", "sure": "1"}),
    ],
)
def test_what_may_have_been_done_is_not_reported_as_a_failure(form, method, fields):
    address = getattr(Host(), method)(REQUEST=form, **fields)
    assert "It+may+have+been+done%2C+look+before+you+do+it+again" in address
    assert "Nothing" not in address
