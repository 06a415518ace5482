"""Mail that leaves when the Zope transaction commits, or not at all."""

from .datamanager import SPILL_MESSAGES, SpoolDataManager
from .sending import committing, send_now, send_with_transaction, take_part

__all__ = [
    "SPILL_MESSAGES",
    "SpoolDataManager",
    "committing",
    "send_now",
    "send_with_transaction",
    "take_part",
]
