"""Envelope, addresses, lanes: a message as the queue takes it."""

from collective.maildrophost.engine.message.addresses import (
    check_address,
    parse_addresses,
)
from collective.maildrophost.engine.message.compose import (
    Message,
    compose,
    parse_sender,
)
from collective.maildrophost.engine.message.errors import InvalidMessage
from collective.maildrophost.engine.message.lanes import LANES_BY_LABEL, Lane
from collective.maildrophost.engine.message.mailfile import MailFile

__all__ = [
    "InvalidMessage",
    "LANES_BY_LABEL",
    "Lane",
    "MailFile",
    "Message",
    "check_address",
    "compose",
    "parse_addresses",
    "parse_sender",
]
