"""The tables of a queue on PostgreSQL: who may do what, how they are kept."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from engine.queue.versions import TO_THE_FIRST_VERSION
from sqlalchemy.engine import make_url

from collective.maildrophost.engine.cli.checks import Level
from collective.maildrophost.engine.cli.checks.queue import check
from collective.maildrophost.engine.config import load
from collective.maildrophost.engine.queue import (
    QueueError,
    open_queue,
    prune,
    stats,
)
from collective.maildrophost.engine.verdict import Outcome

SCALING = Path(__file__).parents[4] / "docs" / "scaling.md"


def grants():
    """The statements of docs/scaling.md, as they stand there."""
    block = SCALING.read_text().partition("<!-- grants -->")[2]
    return block.partition("```sql")[2].partition("```")[0]


@pytest.fixture
def user_url(server, url):
    """A role that may use the tables, and not change them."""
    database = make_url(url).database
    role = f"user_{database}"
    server.execute(f"CREATE ROLE {role} LOGIN")
    statements = grants().replace("maildrop_user", role)
    server.execute(
        statements.replace("DATABASE maildrop", f"DATABASE {database}"), database
    )
    yield server.url(database, role)
    server.execute(f"DROP OWNED BY {role}", database)
    server.execute(f"DROP ROLE {role}")


def test_a_role_with_the_documented_rights_does_all_daily_work(user_url, hands):
    queue = open_queue(user_url)
    user = type(hands)(queue)
    user.register("one")
    (id,) = user.send()
    user.settle(user.claim()[0], Outcome.SENT)
    assert user.do(stats, user.now).states
    user.do(prune, user.now + 40 * 86400, 30, 0)
    assert user.message(id) is None
    queue.close()


def lacking(url):
    with closing(open_queue(url)) as queue, queue.write() as tx:
        return queue.database.lacking(tx)


def test_the_documented_rights_are_all_that_daily_work_needs(user_url, url):
    assert lacking(user_url) == lacking(url) == []


def test_a_right_that_nobody_has_granted_is_named(user_url, url, server):
    """As after an upgrade that has added a table."""
    role, database = make_url(user_url).username, make_url(url).database
    server.execute(f"REVOKE ALL ON maildrop_batch FROM {role}", database)
    server.execute(
        f"REVOKE USAGE ON SEQUENCE maildrop_message_id_seq FROM {role}", database
    )
    assert lacking(user_url) == [
        "SELECT, INSERT, UPDATE, DELETE on maildrop_batch",
        "USAGE on sequence public.maildrop_message_id_seq",
    ]


def test_check_fails_where_a_right_is_missing(user_url, url, server, tmp_path):
    role, database = make_url(user_url).username, make_url(url).database
    server.execute(f"REVOKE INSERT ON maildrop_content FROM {role}", database)
    path = tmp_path / "maildrop.conf"
    path.write_text(f'MAILDROP_HOME="{tmp_path}"\nMAILDROP_QUEUE="{user_url}"\n')
    (found,) = check(load(path, {}))
    assert found.level is Level.FAILED
    assert "lacks INSERT on maildrop_content: see the grants" in found.text


def test_a_role_with_the_documented_rights_can_change_no_table(user_url):
    queue = open_queue(user_url)
    with (
        pytest.raises(QueueError, match="lacks a right: see the grants"),
        queue.write() as tx,
    ):
        tx.exec_driver_sql("ALTER TABLE maildrop_message ADD COLUMN more INTEGER")
    with queue.write() as tx, pytest.raises(Exception, match="permission denied"):
        tx.exec_driver_sql("CREATE TABLE more (id INTEGER)")
    queue.close()


def test_a_role_with_the_documented_rights_does_not_upgrade_a_schema_and_says_so(
    user_url, hands
):
    hands.do(lambda tx: tx.exec_driver_sql("UPDATE maildrop_schema SET version = 1"))
    with pytest.raises(QueueError, match="lacks a right"):
        open_queue(user_url)


def test_often_changed_tables_are_vacuumed_often(queue):
    with queue.read() as tx:
        found = tx.exec_driver_sql(
            "SELECT reloptions FROM pg_class WHERE relname = 'maildrop_schedule'"
        ).scalar()
    assert "autovacuum_vacuum_scale_factor=0.0" in found


def parameters(queue):
    """How PostgreSQL keeps each table."""
    with queue.read() as tx:
        found = tx.exec_driver_sql(
            "SELECT relname, reloptions FROM pg_class "
            "WHERE relkind = 'r' AND relname LIKE 'maildrop%%'"
        )
        return {name: set(options or ()) for name, options in found}


def test_upgraded_tables_are_kept_as_new_ones_are(queue):
    new = parameters(queue)
    with queue.write() as tx:
        for statement in TO_THE_FIRST_VERSION:
            tx.exec_driver_sql(statement)
    open_queue(queue.url).close()
    assert parameters(queue) == new
