"""What the services answer instead of what was asked for, with the reason.

The classes have the names of HTTP statuses, by which ZPublisher finds the status.
"""

from __future__ import annotations

from typing import Any


class ErrorResponse(Exception):
    """The request is refused; the text says why, or what to do."""

    def answer(self, response: Any) -> dict[str, str]:
        """The refusal as JSON, with its status set in `response`."""
        response.setStatus(type(self))
        return {"type": type(self).__name__, "message": str(self)}


class BadRequest(ErrorResponse):
    """The request makes no sense."""


class Forbidden(ErrorResponse):
    """A page of another site has sent the request."""


class NotFound(ErrorResponse):
    """There is no such thing."""


class Conflict(ErrorResponse):
    """What was asked for cannot be done as things are."""


class ServiceUnavailable(ErrorResponse):
    """The queue or its configuration cannot be used now."""
