"""Workers that a server has forked from a Zope that was loaded first."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest
import transaction
from datamanagers import AFTER_ZODB
from waiting import wait_until

from collective.maildrophost.engine.errors import MaildropError
from collective.maildrophost.indoubt import resolver
from collective.maildrophost.transaction import SpoolDataManager

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


def in_fork(act):
    if (pid := os.fork()) == 0:
        try:
            act()
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0


def test_mail_that_a_worker_could_not_release_goes_out_while_it_lives(
    host, send, states, join, monkeypatch
):
    """The process that it was forked from leaves it to the living one."""
    monkeypatch.setattr(resolver, "LOOK_SECONDS", 0.01)

    def work():
        def refuse(self):
            raise MaildropError("no disk")

        with monkeypatch.context() as broken:
            join(
                AFTER_ZODB,
                tpc_finish=lambda: broken.setattr(SpoolDataManager, "_write", refuse),
            )
            send(host)
            transaction.commit()
        wait_until(lambda: states() == {"queued"}, what="the release")

    def start_and_fork():
        resolver.start(SimpleNamespace(database=SimpleNamespace(databases={})))
        in_fork(work)

    in_fork(start_and_fork)
