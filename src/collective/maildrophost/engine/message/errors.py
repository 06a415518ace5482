"""The error that a message is refused with."""

from __future__ import annotations

from ..errors import MaildropError


class InvalidMessage(MaildropError, ValueError):
    """The message could not be given to any relay; the text says why."""
