"""The daemon answers for the queue thread that a MailHost would have."""

from __future__ import annotations

import time
from typing import Any

from AccessControl.class_init import InitializeClass
from AccessControl.Permissions import change_configuration, view
from AccessControl.SecurityInfo import ClassSecurityInfo
from ExtensionClass import Base
from ZPublisher import zpublish

from collective.maildrophost.engine.errors import MaildropError
from collective.maildrophost.engine.queue import alive_and_lost, queue_length
from collective.maildrophost.queues import configured_queue
from collective.maildrophost.samesite import check_same_site


class Deliverer(Base):
    """MailHost's methods about its queue and the thread that delivers it."""

    security = ClassSecurityInfo()

    @zpublish(False)
    @security.protected(view)
    def queueLength(self) -> int | str:
        """How many mails wait; "n/a" with the reason when the queue does not answer."""
        try:
            with configured_queue(self.getConfigKey()).read() as tx:
                return queue_length(tx)
        except MaildropError as error:
            return f"n/a - {error}"

    @zpublish(False)
    @security.protected(view)
    def queueThreadAlive(self) -> bool:
        """Whether a daemon works on the queue."""
        try:
            with configured_queue(self.getConfigKey()).read() as tx:
                alive, _ = alive_and_lost(tx, time.time())
        except MaildropError:
            return False
        return bool(alive)

    @zpublish(False)
    @security.protected(view)
    def queueNonDeliveryMode(self) -> bool:
        """Return False: MAILHOST_QUEUE_ONLY stops Zope's threads, not the daemon."""
        return False

    @zpublish(methods="POST")
    @security.protected(change_configuration)
    def manage_restartQueueThread(
        self, action: str = "start", REQUEST: Any = None
    ) -> Any:
        """Say that the daemon delivers: there is no thread to start or stop."""
        if REQUEST is not None:
            check_same_site(REQUEST)
        message = "The maildrop daemon delivers; start and stop it with maildropctl."
        return self._back_to(REQUEST, "manage_main", message)

    @security.private
    def _startQueueProcessorThread(self) -> None:
        """Do nothing: the daemon delivers, not a thread of Zope."""

    @security.private
    def _stopQueueProcessorThread(self) -> None:
        """Do nothing, see `_startQueueProcessorThread`."""


InitializeClass(Deliverer)
