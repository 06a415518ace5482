"""An error of SQLite's kind that we raise ourselves."""

from __future__ import annotations

import sqlite3

from ...wording import Wording


class OwnError(sqlite3.OperationalError):
    """Passes through SQLAlchemy as SQLite's own do; `why` says why."""

    def __init__(self, why: Wording) -> None:
        super().__init__(why)
        self.why = why
