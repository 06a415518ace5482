"""PATCH @maildrop/messages/ID: retry, hold, release."""

from __future__ import annotations

from typing import Any

from plone.restapi.exceptions import DeserializationError

from collective.maildrophost.api.body import json_object
from collective.maildrophost.api.mailhost import queue_of
from collective.maildrophost.api.messages import act_on_message, one_message
from collective.maildrophost.api.refusals import BadRequest
from collective.maildrophost.api.service import QueueService

ACTIONS = ("retry", "hold", "release")


class MaildropPatch(QueueService):
    """Do one of ACTIONS to a message."""

    changes_something = True

    def answer(self) -> Any:
        """No content, or the message as it is now if the client prefers that."""
        id, action = self.message_id(), self._action()
        queue = queue_of(self.context)
        act_on_message(queue, action, id)
        if self.request.getHeader("Prefer") != "return=representation":
            return self.reply_no_content()
        return self.message_json(one_message(queue, id))

    def _action(self) -> str:
        try:
            action = json_object(self.request).get("action")
        except DeserializationError:
            action = None
        if action not in ACTIONS:
            raise BadRequest(
                'The body is {"action": ACTION}; the actions are '
                f"{', '.join(ACTIONS)}. DELETE deletes a message."
            )
        return str(action)
