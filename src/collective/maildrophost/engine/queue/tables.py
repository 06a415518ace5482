"""The tables of the queue, the same columns on every database.

- `message` and `content` never change; `content` goes when nobody needs it any more.
- `schedule` is the narrow row that changes: whose turn it is, and when.
- `recipient` holds one verdict each; `attempt` is only ever appended to.
- Times are seconds since the epoch, as the caller of an operation gives them.

The indexes are what keeps the cost of a claim the same with a million messages queued:
`due_by_lane` holds only what waits, `schedule_by_state` serves listings and pruning.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    TextClause,
    event,
    false,
    text,
)

metadata = MetaData()

# Only INTEGER (not BIGINT) is a row id in SQLite.
Id = BigInteger().with_variant(Integer, "sqlite")


def _message_id() -> Column[int]:
    message = ForeignKey("maildrop_message.id", ondelete="CASCADE")
    return Column("message_id", Id, message, primary_key=True, autoincrement=False)


schema = Table(
    "maildrop_schema", metadata, Column("version", Integer, primary_key=True)
)

message = Table(
    "maildrop_message",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("sender", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("subject", Text, nullable=False),
    Column("header_id", Text, nullable=False),
    Column("created", Double, nullable=False),
    Column("origin", Text, nullable=False),
    # An id appears in logs and notifications: it is never given twice.
    sqlite_autoincrement=True,
)

content = Table(
    "maildrop_content",
    metadata,
    _message_id(),
    Column("data", LargeBinary, nullable=False),
)

schedule = Table(
    "maildrop_schedule",
    metadata,
    _message_id(),
    Column("state", String(8), nullable=False),
    Column("lane", SmallInteger, nullable=False),
    Column("due", Double, nullable=False),
    # The lifetime counts from here: the creation, a later time that the mail is for, or
    # the last retry by hand after it had failed.
    Column("since", Double, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("possible_duplicate", Boolean, nullable=False),
    # Whether the sender was told of the delay.
    Column("warned", Boolean, nullable=False, server_default=false()),
    Column("owner", String(32)),
    Column("batch", String(32)),
)

WAITING_SQL = text("state IN ('queued', 'deferred')")
OPEN_SQL = text("maildrop_recipient.state IN ('pending', 'deferred')")


def _index_of_some(name: str, where: TextClause, *columns: Column[Any]) -> None:
    """An index with only the rows for which `where` is true."""
    index = Index(name, *columns)

    # Both databases have such indexes, each by an option of its own. To give it to the
    # Index would load SQLAlchemy's dialect of PostgreSQL, which takes a fifth of the
    # time of a command.
    def tell(table: Table, connection: Connection, **_options: Any) -> None:
        index.dialect_options[connection.dialect.name]["where"] = where

    event.listen(schedule, "before_create", tell)


_index_of_some(
    "maildrop_due_by_lane",
    WAITING_SQL,
    schedule.c.lane,
    schedule.c.due,
    schedule.c.message_id,
)
Index(
    "maildrop_schedule_by_state",
    schedule.c.state,
    schedule.c.lane,
    schedule.c.due,
    schedule.c.message_id,
)
_index_of_some(
    "maildrop_schedule_by_batch",
    text("batch IS NOT NULL"),
    schedule.c.batch,
    schedule.c.message_id,
)
_index_of_some(
    "maildrop_schedule_by_owner", text("owner IS NOT NULL"), schedule.c.owner
)

# A transaction in two phases that has mail here, until it has ended.
batch = Table(
    "maildrop_batch",
    metadata,
    Column("batch", String(32), primary_key=True),
    # The process of the transaction: once that is gone, nobody else will end it.
    Column("process", Text, nullable=False),
    Column("voted", Boolean, nullable=False),
    # Where it can be looked up whether the transaction has committed.
    Column("log", Text, nullable=False),
)

recipient = Table(
    "maildrop_recipient",
    metadata,
    _message_id(),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("address", Text, nullable=False),
    Column("state", String(8), nullable=False),
    Column("reply", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    sqlite_with_rowid=False,
)

attempt = Table(
    "maildrop_attempt",
    metadata,
    _message_id(),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("time", Double, nullable=False),
    Column("relay", Text, nullable=False),
    Column("outcome", String(8), nullable=False),
    Column("reply", Text, nullable=False),
    sqlite_with_rowid=False,
)

hour = Table(
    "maildrop_hour",
    metadata,
    Column("hour", Id, primary_key=True, autoincrement=False),
    # Who counted, so that daemons do not wait for each other.
    Column("owner", String(32), primary_key=True),
    Column("sent", Integer, nullable=False),
    Column("deferred", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
)

held_lane = Table(
    "maildrop_held_lane",
    metadata,
    Column("lane", SmallInteger, primary_key=True, autoincrement=False),
)

daemon = Table(
    "maildrop_daemon",
    metadata,
    Column("owner", String(32), primary_key=True),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    # Names this very process, so that its death can be seen before the lease ends.
    Column("process", Text, nullable=False),
    Column("doorbell", Text, nullable=False),
    Column("relay", Text, nullable=False),
    Column("started", Double, nullable=False),
    Column("seen", Double, nullable=False),
    Column("lease_until", Double, nullable=False),
)

relay = Table(
    "maildrop_relay",
    metadata,
    Column("name", Text, primary_key=True),
    Column("fault", Text, nullable=False),
    Column("since", Double, nullable=False),
    Column("paused_until", Double, nullable=False),
    Column("failures", Integer, nullable=False),
    # Whether the postmaster was told that the fault lasts.
    Column("told", Boolean, nullable=False, server_default=false()),
)

pace = Table(
    "maildrop_pace",
    metadata,
    Column("relay", Text, primary_key=True),
    # When the last mail to it started; only a relay that has had a limit has a row.
    Column("last_start", Double, nullable=False),
)

taken_file = Table(
    "maildrop_taken_file",
    metadata,
    Column("key", Text, primary_key=True),
    # When its file was removed; infinity: it may still be there.
    Column("taken", Double, nullable=False, index=True),
)

# In PostgreSQL each change of a row leaves a dead one behind, which every look at the
# start of an index has to step over. They are cleared away once there are so many,
# whatever the size of the table; by default that would be a fifth of all history.
_CLEARED_OFTEN = {
    "autovacuum_vacuum_scale_factor": 0.0,
    "autovacuum_vacuum_threshold": 2000,
    "autovacuum_vacuum_insert_scale_factor": 0.02,
    "autovacuum_analyze_scale_factor": 0.02,
    "autovacuum_vacuum_cost_delay": 0,
}
# One row for a daemon, a relay or an hour, changed all the time: room for its new
# version beside the old one, so that no index has to be changed.
_FEW_ROWS = {**_CLEARED_OFTEN, "autovacuum_vacuum_threshold": 200, "fillfactor": 20}


def _parametrize(table: Table, parameters: dict[str, float]) -> None:
    # Tables have an argument for this only from SQLAlchemy 2.1 on.
    settings = ", ".join(f"{name} = {value}" for name, value in parameters.items())
    statement = DDL(  # type: ignore[no-untyped-call]
        f"ALTER TABLE {table.name} SET ({settings})"
    )
    event.listen(table, "after_create", statement.execute_if(dialect="postgresql"))


for _each in (message, content, schedule, recipient, attempt):
    _parametrize(_each, _CLEARED_OFTEN)
for _each in (batch, hour, daemon, relay, pace):
    _parametrize(_each, _FEW_ROWS)
