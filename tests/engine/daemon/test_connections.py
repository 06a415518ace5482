"""How many connections there are, for how long, and for which mail."""

from __future__ import annotations

import threading

from servers.scripted import Late, Scripted
from waiting import wait_until

from collective.maildrophost.engine.message import Lane


def test_no_connection_takes_more_messages_than_the_batch(site, make_mail):
    with Scripted() as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_BATCH=3, MAILDROP_CONCURRENCY=1)
        site.send(*[make_mail() for _ in range(8)])
        assert site.once() == 0
    assert [len(each.received) for each in relay.conversations] == [3, 3, 2]
    assert all(each.verbs[-1] == "QUIT" for each in relay.conversations)


def test_one_connection_takes_many_messages_without_a_batch(site, make_mail):
    with Scripted() as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_CONCURRENCY=1)
        site.send(*[make_mail() for _ in range(8)])
        assert site.once() == 0
    assert [len(each.received) for each in relay.conversations] == [8]


def test_a_password_mail_overtakes_all_that_is_slow(site, make_mail):
    """Every other connection hangs; the one for interactive mail is still free."""
    never = threading.Event()
    slow = {
        f"RCPT:{lane.label}@x.org": Late(never, "250 ok") for lane in list(Lane)[1:]
    }
    with Scripted(slow) as relay:
        site.configure(
            SMTP_PORT=relay.port, MAILDROP_CONCURRENCY=4, MAILDROP_STOP_TIMEOUT=0
        )
        lanes = [Lane.NORMAL, Lane.BULK, Lane.BULK, Lane.BULK, Lane.BULK, Lane.NORMAL]
        with site.daemon():
            site.send(*[make_mail(f"{lane.label}@x.org", lane=lane) for lane in lanes])
            wait_until(lambda: len(relay.conversations) >= 3, what="slow mail")
            site.send(make_mail("me@x.org", lane=Lane.INTERACTIVE))
            assert relay.wait_for(1)[0].recipients == ["me@x.org"]
        assert len(relay.conversations) == 4
