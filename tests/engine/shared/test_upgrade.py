"""The schema is upgraded while daemons and senders of the version before work."""

from __future__ import annotations

import threading

import pytest
from servers.scripted import Late, Scripted
from sqlalchemy.engine import make_url
from waiting import PATIENCE_SECONDS, wait_until

from collective.maildrophost.engine.queue import QueueError, State, open_queue, upgrades

MAILS = 60


@pytest.fixture
def upgraded(monkeypatch, postgresql_url):
    """Opens the queue with what might be the next version, which upgrades it."""

    def upgrade(*statements):
        def step(tx):
            for statement in statements:
                tx.exec_driver_sql(statement)

        with monkeypatch.context() as next_version:
            next_version.setattr(upgrades, "STEPS", (*upgrades.STEPS, step))
            next_version.setattr(upgrades, "VERSION", upgrades.VERSION + 1)
            open_queue(postgresql_url).close()

    return upgrade


def go_on(action, *arguments):
    """Again where another transaction came first, as a person is told to do."""

    def tried():
        try:
            return action(*arguments) or True
        except QueueError as error:
            if "another transaction came first" not in str(error):
                raise
            return None

    return wait_until(tried)


def test_programs_that_run_go_on_where_something_was_added_but_cannot_be_restarted(
    machines, make_mail, upgraded, postgresql_url
):
    one, other = machines(2)
    ids, started = [], threading.Event()

    def send():
        for number in range(MAILS):
            ids.extend(go_on(one.send, make_mail(subject=f"m{number}.")))
            if number == MAILS // 3:
                started.set()

    with Scripted() as relay:
        for site in (one, other):
            site.configure(SMTP_PORT=relay.port)
        with one.daemon(), other.daemon():
            sender = threading.Thread(target=send)
            sender.start()
            assert started.wait(PATIENCE_SECONDS)
            go_on(
                upgraded,
                "ALTER TABLE maildrop_schedule ADD COLUMN more INTEGER DEFAULT 0",
                "ALTER TABLE maildrop_message ADD COLUMN more TEXT",
                "CREATE TABLE maildrop_more (id BIGINT PRIMARY KEY)",
            )
            sender.join(PATIENCE_SECONDS)
            for id in ids:
                one.wait_for(id, State.SENT)
    arrived = b"".join(each.content for each in relay.accepted)
    assert all(arrived.count(b"Subject: m%d." % each) == 1 for each in range(MAILS))
    with pytest.raises(QueueError, match=r"knows up to \d+: install the newer"):
        open_queue(postgresql_url)


def test_a_verdict_that_the_new_tables_refuse_is_kept_and_the_log_says_why(
    machines, make_mail, upgraded, postgresql, postgresql_url
):
    (site,) = machines(1)
    late = threading.Event()
    with Scripted({"END": [Late(late, "250 2.0.0 Ok")]}) as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon():
            (id,) = site.send(make_mail())
            wait_until(lambda: relay.received)
            upgraded("ALTER TABLE maildrop_attempt RENAME COLUMN reply TO words")
            late.set()
            wait_until(lambda: site.log_lines("another version"))
            assert site.message(id).state is State.SENDING
            postgresql.execute(
                "ALTER TABLE maildrop_attempt RENAME COLUMN words TO reply",
                make_url(postgresql_url).database,
            )
            site.wait_for(id, State.SENT)
    assert len(relay.received) == 1
