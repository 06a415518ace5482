"""A text that many get is read once, and never taken for another one."""

from __future__ import annotations

import pytest
from letters import DATE
from Products.MailHost.MailHost import _mungeHeaders

from collective.maildrophost.submission import munged as module
from collective.maildrophost.submission.munged import _munged, _parsed, munged


def test_a_text_for_many_is_read_once(monkeypatch):
    monkeypatch.setattr(module, "_latest", ((), None))
    read = []
    monkeypatch.setattr(
        module, "_parsed", lambda text: read.append(text) or _parsed(text)
    )
    for to in ("b@x.org", "c@x.org"):
        content, _ = munged("grün, for many", to, "a@x.org", "s", "utf-8")
        assert f"\nTo: {to}\r\n".encode() in content
    assert read == ["grün, for many"]


@pytest.mark.parametrize(
    "other",
    [("grau", "utf-8", ""), ("grün", "latin-1", ""), ("grün", "utf-8", "text/html")],
)
def test_what_was_read_of_another_mail_is_not_taken(other):
    for text, charset, msg_type in [("grün", "utf-8", ""), other] * 2:
        text = f"Date: {DATE}\n\n{text}"
        given = (text, "b@x.org", "a@x.org", "s", charset, msg_type)
        expected, *_ = _mungeHeaders(*given)
        content, _ = _munged(*given)
        assert content == expected


def test_a_long_text_is_not_kept():
    munged("x" * 100_001, "b@x.org", "a@x.org", "s", "utf-8")
    remembered, _ = module._latest
    assert len("".join(remembered)) < 100_000
