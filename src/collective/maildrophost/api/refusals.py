"""What the services answer instead of what was asked for, with the reason.

The names are those of the HTTP status, which ZPublisher finds by them.
"""

from __future__ import annotations


class ErrorResponse(Exception):
    """The request is refused, nothing was done; the text says what to do."""

    status = 500


class BadRequest(ErrorResponse):
    """The request makes no sense."""

    status = 400


class NotFound(ErrorResponse):
    """There is no such thing."""

    status = 404


class Conflict(ErrorResponse):
    """What was asked for does not go with how things are."""

    status = 409


class ServiceUnavailable(ErrorResponse):
    """The queue or its configuration cannot be used now."""

    status = 503
