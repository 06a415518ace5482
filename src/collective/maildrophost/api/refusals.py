"""What the services answer instead of what was asked for, with the reason.

The names are those of the HTTP status, which ZPublisher finds by them.
"""

from __future__ import annotations

from typing import Any


class ErrorResponse(Exception):
    """The request is refused; the text says why, or what to do."""

    status = 500

    def answer(self, response: Any) -> dict[str, str]:
        """The refusal as JSON, with its status set in `response`."""
        response.setStatus(self.status)
        return {"type": type(self).__name__, "message": str(self)}


class BadRequest(ErrorResponse):
    """The request makes no sense."""

    status = 400


class Forbidden(ErrorResponse):
    """A page of another site has sent the request."""

    status = 403


class NotFound(ErrorResponse):
    """There is no such thing."""

    status = 404


class Conflict(ErrorResponse):
    """What was asked for does not go with how things are."""

    status = 409


class ServiceUnavailable(ErrorResponse):
    """The queue or its configuration cannot be used now."""

    status = 503
