"""Mail that leaves when the Zope transaction commits, or not at all."""

from .datamanager import SPILL_MESSAGES, SpoolDataManager

__all__ = ["SPILL_MESSAGES", "SpoolDataManager"]
