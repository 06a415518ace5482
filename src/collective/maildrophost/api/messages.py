"""Messages of a queue, found and acted on."""

from __future__ import annotations

from typing import Any

from collective.maildrophost.api.refusals import Conflict, NotFound
from collective.maildrophost.engine.actions import act
from collective.maildrophost.engine.queue import (
    MessageRecord,
    Queue,
    Transaction,
    attempts,
    get_message,
)


def message_and_history(
    queue: Queue, id: str
) -> tuple[MessageRecord, list[dict[str, Any]]]:
    """A message, with every attempt at it as JSON; NotFound when it is gone."""
    with queue.read() as tx:
        message = _existing(tx, id)
        return message, [attempt.as_json() for attempt in attempts(tx, message.id)]


def one_message(queue: Queue, id: str) -> MessageRecord:
    """A message; NotFound when it is gone."""
    with queue.read() as tx:
        return _existing(tx, id)


def act_on_message(queue: Queue, action: str, id: str) -> None:
    """Do `action` to a message; NotFound when it is gone, Conflict with its state."""
    message = one_message(queue, id)
    refused = act(queue, action, [message.id]).refused
    if refused:
        # Somebody else may just have deleted it: then it is not found.
        message = one_message(queue, id)
        raise Conflict(f"Message {message.id} {refused[message.id]}.")


def _existing(tx: Transaction, id: str) -> MessageRecord:
    message = get_message(tx, id)
    if message is None:
        raise NotFound(
            f"There is no message {id[:40]!r} in the queue: it was deleted, or its "
            "record has been kept long enough."
        )
    return message
