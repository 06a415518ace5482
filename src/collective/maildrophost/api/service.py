"""What every service of the queue has in common: access, path, refusals as JSON."""

from __future__ import annotations

from typing import Any

import zExceptions
from plone.restapi.services import Service
from zope.interface import implementer
from zope.publisher.interfaces import IPublishTraverse

from collective.maildrophost.api.access import check_origin, check_permission
from collective.maildrophost.api.refusals import (
    ErrorResponse,
    Forbidden,
    NotFound,
    ServiceUnavailable,
)
from collective.maildrophost.engine.queue import MessageRecord, QueueError, Unheard

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
        # A cache in front of Zope would give it, outdated, to whoever asks next.
        self.request.response.setHeader("Cache-Control", "no-store")
        try:
            if self.changes_something:
                check_origin(self.request)
            return self.answer()
        except ErrorResponse as error:
            refusal = error
        except zExceptions.Forbidden as error:
            refusal = Forbidden(str(error))
        except Unheard as error:
            refusal = ServiceUnavailable(error.caution)
        except QueueError as error:
            refusal = ServiceUnavailable(str(error))
        return refusal.answer(self.request.response)

    def answer(self) -> Any:
        """What was asked for; raises ErrorResponse or QueueError."""
        raise NotImplementedError

    def message_id(self) -> str:
        """The id in the path messages/ID; NotFound for another path."""
        match self.path:
            case [first, id] if first == MESSAGES:
                return id
        raise NotFound(
            f"There are {NAME}, {NAME}/{MESSAGES} and {NAME}/{MESSAGES}/ID to read, "
            f"and {NAME}/{MESSAGES}/ID to change."
        )

    def url(self, *path: str) -> str:
        """The address of a path below @maildrop."""
        return "/".join((self.context.absolute_url(), NAME, *path))

    def message_json(self, message: MessageRecord) -> dict[str, Any]:
        """A message as it is listed."""
        return {"@id": self.url(MESSAGES, message.id), **message.as_json()}
