"""A program that opens a ZODB by itself: no Zope starts in it that would look."""

from __future__ import annotations

import pytest
from waiting import wait_until

from collective.maildrophost.indoubt import resolver


@pytest.fixture
def without_zope(looks_without_zope, monkeypatch):
    monkeypatch.setattr(resolver, "_without_zope", looks_without_zope)
    yield
    looks_without_zope.end()


def test_mail_that_could_not_be_released_goes_out_while_the_program_runs(
    without_zope, unreleased, states
):
    wait_until(lambda: states() == {"queued"}, what="the release")
