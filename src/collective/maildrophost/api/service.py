"""What every service of the queue has in common: access, path, refusals as JSON."""

from __future__ import annotations

from typing import Any

from plone.restapi.services import Service
from zExceptions import Forbidden
from zope.interface import implementer
from zope.publisher.interfaces import IPublishTraverse

from collective.maildrophost.api.access import check_origin, check_permission
from collective.maildrophost.api.refusals import ErrorResponse, NotFound
from collective.maildrophost.engine.queue import QueueError, Unheard

NAME = "@maildrop"
MESSAGES = "messages"


@implementer(IPublishTraverse)
class QueueService(Service):
    """A service on the paths below @maildrop; `answer` says what it does there."""

    changes_something = False

    def __init__(self, context: Any, request: Any) -> None:
        super().__init__(context, request)
        self.path: list[str] = []

    def publishTraverse(self, request: Any, name: str) -> QueueService:
        """Take the next part of the path."""
        self.path.append(name)
        return self

    def reply(self) -> Any:
        """The answer, or the reason why there is none; never a traceback."""
        check_permission(self.context)
        # A cache in front would give it to the next who asks, as it was.
        self.request.response.setHeader("Cache-Control", "no-store")
        try:
            if self.changes_something:
                check_origin(self.request)
            return self.answer()
        except ErrorResponse as error:
            return self._refuse(type(error).__name__, error.status, error)
        except Forbidden as forbidden:
            return self._refuse("Forbidden", 403, forbidden)
        except Unheard as error:
            return self._refuse("ServiceUnavailable", 503, _perhaps(error))
        except QueueError as error:
            return self._refuse("ServiceUnavailable", 503, error)

    def answer(self) -> Any:
        """What was asked for; raises ErrorResponse or QueueError."""
        raise NotImplementedError

    def _refuse(self, kind: str, status: int, reason: object) -> dict[str, str]:
        self.request.response.setStatus(status)
        return {"type": kind, "message": str(reason)}

    def message_id(self) -> str:
        """The id in the path messages/ID; NotFound for another path."""
        match self.path:
            case [first, id] if first == MESSAGES:
                return id
        raise self.no_such_path()

    def no_such_path(self) -> NotFound:
        """What to raise for a path that leads nowhere."""
        return NotFound(
            f"There are {NAME}, {NAME}/{MESSAGES} and {NAME}/{MESSAGES}/ID to read, "
            f"and {NAME}/{MESSAGES}/ID to change."
        )

    def url(self, *path: str) -> str:
        """The address of a path below @maildrop."""
        return "/".join((self.context.absolute_url(), NAME, *path))


def _perhaps(error: Unheard) -> str:
    # Whoever takes that for a failure may do it twice.
    return f"It may have been done, look before you do it again: {error}"
