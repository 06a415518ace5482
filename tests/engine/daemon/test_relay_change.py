"""The relay is changed while mail waits for the old one."""

from __future__ import annotations

import signal

from servers.scripted import Scripted
from waiting import wait_until

from collective.maildrophost.engine.queue import State


def test_mail_that_waits_for_a_relay_at_fault_goes_to_the_next_one_at_once(
    site, unused_port
):
    site.configure(SMTP_PORT=unused_port)
    with Scripted() as relay, site.daemon() as daemon:
        ids = site.send() + site.send()
        wait_until(lambda: site.pauses, what="the fault of the old relay")
        site.configure(SMTP_PORT=relay.port)
        daemon.signal(signal.SIGHUP)
        for id in ids:
            assert site.wait_for(id, State.SENT).attempts == 1


def test_mail_that_the_old_relay_deferred_goes_with_retry(site):
    site.configure(MAILDROP_RETRY_MIN=3600)
    answers = {"RCPT:b@example.org": "450 4.2.0 later"}
    with Scripted(answers) as old, Scripted() as new:
        site.configure(SMTP_PORT=old.port)
        with site.daemon() as daemon:
            (id,) = site.send()
            site.wait_for(id, State.DEFERRED)
            before = daemon.row
            site.configure(SMTP_PORT=new.port)
            daemon.signal(signal.SIGHUP)
            daemon.wait_for_reload(before)
            site.ctl("retry", "--all")
            assert site.wait_for(id, State.SENT).attempts == 2
