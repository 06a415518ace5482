"""How much mail a transaction had at one moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from transaction.interfaces import IDataManagerSavepoint
from zope.interface import implementer

if TYPE_CHECKING:
    from collective.maildrophost.transaction.datamanager import SpoolDataManager


@implementer(IDataManagerSavepoint)
class SpoolSavepoint:
    """A point to come back to: mail sent since then is forgotten."""

    def __init__(self, manager: SpoolDataManager, count: int) -> None:
        self._manager = manager
        self._count = count

    def rollback(self) -> None:
        """Forget the mail sent since."""
        self._manager.roll_back(self._count)
