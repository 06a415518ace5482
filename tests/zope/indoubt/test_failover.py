"""The queue's server is lost when mail is voted on; its standby lacks what followed."""

from __future__ import annotations

import pytest
import transaction
from datamanagers import AFTER_MAIL, AFTER_ZODB
from servers.postgresql import PostgreSQL
from servers.standby import Standby
from waiting import wait_until


@pytest.fixture
def primary():
    with PostgreSQL() as server:
        yield server


@pytest.fixture
def standby(primary):
    with Standby(primary) as server:
        yield server


@pytest.fixture
def queue_url(primary, standby):
    hosts = f"host={primary.host}:5432&host={standby.host}:5432"
    return f"postgresql+psycopg://maildrop@/{primary.create()}?{hosts}"


@pytest.fixture
def falls_behind(primary, standby):
    """From this call on the standby falls behind; until then it has everything."""

    def has_all():
        ((same,),) = primary.execute(
            "SELECT replay_lsn = pg_current_wal_lsn() FROM pg_stat_replication"
        )
        return same

    def fall_behind():
        wait_until(has_all)
        standby.fall_behind()

    return fall_behind


@pytest.fixture
def takes_over(primary, standby):
    def switch():
        primary.kill()
        standby.promote()

    return switch


@pytest.mark.parametrize("changes", [1, 0], ids=["logged", "only mail"])
def test_mail_whose_release_was_lost_goes_out(
    root, send, join, mails, falls_behind, takes_over, look, changes
):
    join(AFTER_ZODB, tpc_finish=falls_behind)
    if changes:
        root.counter += changes
    send(root.host)
    transaction.commit()
    assert [mail.state.value for mail in mails()] == ["queued"]
    takes_over()
    assert [mail.state.value for mail in mails()] == ["prepared"]
    look()
    assert [mail.state.value for mail in mails()] == ["queued"]


def test_mail_whose_deletion_was_lost_is_not_sent(
    root, send, join, mails, falls_behind, takes_over, look
):
    def refuse():
        falls_behind()
        raise ValueError("no")

    join(AFTER_MAIL, tpc_vote=refuse)
    root.counter += 1
    send(root.host)
    with pytest.raises(ValueError, match="no"):
        transaction.commit()
    transaction.abort()
    assert mails() == []
    takes_over()
    assert [mail.state.value for mail in mails()] == ["prepared"]
    look()
    assert mails() == []
