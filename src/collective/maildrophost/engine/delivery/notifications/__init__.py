"""What is written to people about mail: failures, delays, broken relays."""

from .decide import delay_warning, failure_notification
from .policy import NotificationPolicy
from .relay import relay_fault_lasts, relay_works_again

__all__ = [
    "NotificationPolicy",
    "delay_warning",
    "failure_notification",
    "relay_fault_lasts",
    "relay_works_again",
]
