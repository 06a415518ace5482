"""Envelope, addresses, lanes: a message as the queue takes it."""

from .addresses import (
    check_address,
    parse_addresses,
)
from .compose import (
    Message,
    compose,
    parse_sender,
)
from .errors import InvalidMessage
from .lanes import LANES_BY_LABEL, Lane

__all__ = [
    "InvalidMessage",
    "LANES_BY_LABEL",
    "Lane",
    "Message",
    "check_address",
    "compose",
    "parse_addresses",
    "parse_sender",
]
