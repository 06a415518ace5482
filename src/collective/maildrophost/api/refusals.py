"""What the services answer instead of what was asked for, with the reason.

The names are those of the HTTP status, which ZPublisher finds by them.
"""

from __future__ import annotations


class Refused(Exception):
    """The request is refused, nothing was done; the text says what to do."""

    status = 500


class BadRequest(Refused):
    """The request makes no sense."""

    status = 400


class NotFound(Refused):
    """There is no such thing."""

    status = 404


class Conflict(Refused):
    """What was asked for does not go with how things are."""

    status = 409


class ServiceUnavailable(Refused):
    """The queue or its configuration cannot be used now."""

    status = 503
