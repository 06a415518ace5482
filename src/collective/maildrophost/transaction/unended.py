"""Mail whose transaction nobody has ended: it is not sent, and somebody is told."""

from __future__ import annotations

import logging
import os
import weakref

from collective.maildrophost.transaction.unwritten import Unwritten

logger = logging.getLogger("maildrop.zope")


def watch(data_manager: object, unwritten: Unwritten) -> None:
    """Log mail that is still `unwritten` when the data manager is garbage-collected.

    That happens with its transaction: when its thread ends, or this process.
    """
    weakref.finalize(data_manager, _tell, unwritten, os.getpid())


def _tell(unwritten: Unwritten, process: int) -> None:
    # A fork has a copy of what its parent may still commit.
    if process != os.getpid():
        return
    # Not how many: more may be prepared. Only who has sent it is known here.
    for origin in dict.fromkeys(origin for origin, _ in unwritten.by_origin()):
        logger.warning(
            "mail of %s is not sent: its transaction was neither committed nor "
            "aborted. A thread or a script has to call transaction.commit(), also for "
            "mail with immediate=True",
            origin,
        )
