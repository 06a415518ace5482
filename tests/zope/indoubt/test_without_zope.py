"""A program that opens a ZODB by itself: no Zope starts in it that would look."""

from __future__ import annotations

import transaction
from datamanagers import AFTER_ZODB
from waiting import wait_until

from collective.maildrophost.indoubt import resolver


def test_mail_that_could_not_be_released_goes_out_while_the_program_runs(
    root, send, join, states, out_of_order, looks_without_zope, monkeypatch
):
    monkeypatch.setattr(resolver, "_without_zope", looks_without_zope)
    break_it, mend = out_of_order
    join(AFTER_ZODB, tpc_finish=break_it)
    root.counter += 1
    send(root.host)
    transaction.commit()
    mend()
    try:
        wait_until(lambda: states() == {"queued"}, what="the release")
    finally:
        looks_without_zope.end()
