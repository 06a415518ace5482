"""DELETE @maildrop/messages/ID."""

from __future__ import annotations

from typing import Any

from collective.maildrophost.api.mailhost import queue_of
from collective.maildrophost.api.messages import act_on_message
from collective.maildrophost.api.service import QueueService


class MaildropDelete(QueueService):
    """Delete a message for good; nobody gets a notification."""

    changes_something = True

    def answer(self) -> Any:
        """No content."""
        id = self.message_id()
        act_on_message(queue_of(self.context), "delete", id)
        return self.reply_no_content()
