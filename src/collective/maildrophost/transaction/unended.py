"""Mail whose transaction nobody has ended: it is not sent, and somebody is told."""

from __future__ import annotations

import logging
import os
import weakref

from collective.maildrophost.transaction.unwritten import Unwritten

logger = logging.getLogger("maildrop.zope")


def watch(data_manager: object, unwritten: Unwritten) -> None:
    """Tell of mail that is still `unwritten` when this goes with its transaction.

    That is when its thread has ended, or this process ends.
    """
    weakref.finalize(data_manager, _tell, unwritten, os.getpid())


def _tell(unwritten: Unwritten, process: int) -> None:
    # A fork has a copy of what its parent may still commit.
    if process != os.getpid():
        return
    # More of it may be prepared: what is known here is who has sent it.
    for origin in dict.fromkeys(origin for origin, _ in unwritten.by_origin()):
        logger.warning(
            "mail of %s is not sent: its transaction was neither committed nor "
            "aborted. A thread or a script has to call transaction.commit(), also for "
            "mail with immediate=True",
            origin,
        )
