"""What the services answer instead of what was asked for, with the reason.

The classes have the names of HTTP statuses, by which ZPublisher finds the status.
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
    """What was asked for cannot be done as things are."""

    status = 409


class ServiceUnavailable(ErrorResponse):
    """The queue or its configuration cannot be used now."""

    status = 503
