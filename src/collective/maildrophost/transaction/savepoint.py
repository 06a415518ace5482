"""How much mail a transaction had at one moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from transaction.interfaces import IDataManagerSavepoint
from zope.interface import implementer


@implementer(IDataManagerSavepoint)
@dataclass(frozen=True)
class SpoolSavepoint:
    """A point to come back to: `rollback` forgets the mail sent since."""

    rollback: Callable[[], None]
