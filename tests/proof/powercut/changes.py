"""A process of the engine with some of its constants, or its promises, changed."""

from __future__ import annotations

import json
import sqlite3
import sys
from typing import Any

from engine.faults.impatient import set_constants
from sqlalchemy import text

from collective.maildrophost.engine.cli import main
from collective.maildrophost.engine.queue.postgresql import database as postgresql
from collective.maildrophost.engine.queue.sqlite import database as sqlite
from collective.maildrophost.engine.queue.statement import Statement


def change(what: str) -> None:
    """As this JSON says: `synchronous` has SQLite sync less, the rest are constants.

    With `unforced`, commits on PostgreSQL are only as durable as its settings say.
    """
    constants = json.loads(what)
    if constants.pop("unforced", False):
        _trust_the_settings()
    synchronous = constants.pop("synchronous", None)
    if synchronous:
        _sync_less(synchronous)
    set_constants(constants)


def _sync_less(synchronous: str) -> None:
    set_up = sqlite._set_up_connection

    def careless(connection: sqlite3.Connection, record: Any) -> None:
        set_up(connection, record)
        connection.execute(f"PRAGMA synchronous = {synchronous}")

    sqlite._set_up_connection = careless


def _trust_the_settings() -> None:
    begin = str(postgresql.BEGIN_WRITE._statement)
    assert postgresql._DURABLE in begin
    unforced = begin.replace(postgresql._DURABLE, "SELECT 1")
    postgresql.PostgreSQL.begin_write = Statement(text(unforced))


if __name__ == "__main__":
    change(sys.argv.pop(1))
    sys.exit(main())
