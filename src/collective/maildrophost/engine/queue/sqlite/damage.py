"""Damaged text in an SQLite queue, read for those who only show it."""

# Rules of this file:
# - Nothing is sent by it: a message with such text fails when it is claimed, and the
#   log says so (claim.py).

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import cast

from sqlalchemy import Connection


@contextlib.contextmanager
def any_text(tx: Connection) -> Iterator[None]:
    """A block in which such text can be read: marked as damaged, its octets escaped."""
    connection = cast(sqlite3.Connection, tx.connection.driver_connection)
    before, connection.text_factory = connection.text_factory, _text
    try:
        yield
    finally:
        connection.text_factory = before


def _text(octets: bytes) -> str:
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return f"(damaged) {octets.decode('utf-8', 'backslashreplace')}"
