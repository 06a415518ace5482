"""Neither a busy machine nor other tests say anything about the benchmarks."""

from __future__ import annotations

import pytest
from waiting import PATIENCE_SECONDS
from zope.sendmail.mailer import SMTPMailer

from benchmarks import churn, measuring, sink
from benchmarks.page import busy


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    monkeypatch.setattr(measuring, "BLIND_SECONDS", 600.0)
    for module, name in (
        (measuring, "STALL_SECONDS"),
        (churn, "STALL_SECONDS"),
        (sink, "START_SECONDS"),
        (busy, "START_SECONDS"),
    ):
        monkeypatch.setattr(module, name, PATIENCE_SECONDS)


@pytest.fixture(autouse=True)
def without_plone(monkeypatch):
    """Once a test has loaded Plone, each mailer asks a site for its host."""
    made = SMTPMailer.__init__
    if made.__module__ != SMTPMailer.__module__:
        (own,) = made.__closure__
        monkeypatch.setattr(SMTPMailer, "__init__", own.cell_contents)
