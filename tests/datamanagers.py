"""Others who take part in a transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import transaction

AFTER_ZODB, AFTER_MAIL = "~a", "~~"
"""Sort keys: between those of ZODB's storages and that of our mail, and behind it."""


class Resource:
    """A data manager; every phase says yes but for those that are given."""

    transaction_manager = transaction.manager

    def __init__(self, key: str, **phases: Callable[[], object]) -> None:
        self._key = key
        for name, act in phases.items():
            setattr(self, name, lambda txn, act=act: act())

    def sortKey(self) -> str:
        return self._key

    def tpc_begin(self, txn: Any) -> None:
        pass

    commit = tpc_vote = tpc_finish = tpc_abort = abort = tpc_begin


def join(key: str, **phases: Callable[[], object]) -> None:
    """Let one take part: `join(sort_key, tpc_vote=function)`."""
    transaction.get().join(Resource(key, **phases))
