"""A process of the engine with some of its constants, or its promises, changed."""

from __future__ import annotations

import importlib
import json
import sqlite3
import sys
from typing import Any

from collective.maildrophost.engine.cli import main
from collective.maildrophost.engine.queue import sqlite

ENGINE = "collective.maildrophost.engine"


def change(what: str) -> None:
    """By JSON: `synchronous` has SQLite sync less, all else names constants."""
    constants = json.loads(what)
    synchronous = constants.pop("synchronous", None)
    if synchronous:
        _sync_less(synchronous)
    for name, value in constants.items():
        module_name, _, constant = name.rpartition(".")
        module = importlib.import_module(f"{ENGINE}.{module_name}")
        assert hasattr(module, constant), name
        setattr(module, constant, value)


def _sync_less(synchronous: str) -> None:
    set_up = sqlite._set_up_connection

    def careless(connection: sqlite3.Connection, record: Any) -> None:
        set_up(connection, record)
        connection.execute(f"PRAGMA synchronous = {synchronous}")

    sqlite._set_up_connection = careless


if __name__ == "__main__":
    change(sys.argv.pop(1))
    sys.exit(main())
