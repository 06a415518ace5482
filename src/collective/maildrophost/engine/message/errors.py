"""The error that a message is refused with."""

from __future__ import annotations

from ..errors import MaildropError


class InvalidMessage(MaildropError, ValueError):
    """Nothing that a relay could be given; the text says why."""
