"""The mail of a test, as the queue has it."""

from __future__ import annotations

from email import message_from_bytes
from email.utils import formataddr, getaddresses
from typing import Any, NamedTuple

from collective.maildrophost import productconfig
from collective.maildrophost.engine.message import Lane
from collective.maildrophost.engine.queue import Queue, State, content, list_messages
from collective.maildrophost.queues import queue_at


class Mail(NamedTuple):
    """One mail in the queue."""

    sender: str
    recipients: list[str]
    content: bytes
    lane: Lane

    def named(self, address: str) -> str:
        """The address with the name that the headers have for it.

        An envelope has bare addresses (RFC 5321 section 4.1.2), the peers' tests look
        for names.
        """
        headers = message_from_bytes(self.content)
        fields = [*headers.get_all("To", ()), *headers.get_all("Cc", ())]
        names = {bare: name for name, bare in getaddresses(fields)}
        return formataddr((names.get(address, ""), address))


def the_queue() -> Queue:
    """The queue of this test's configuration."""
    return queue_at(productconfig.configuration(productconfig.DEFAULT).queue)


def mails() -> list[Mail]:
    """All mail that the daemon may send, in the order that it came."""
    return _in_state(State.QUEUED)


def traces() -> list[Mail]:
    """All mail that the queue has, what must not be sent yet among it."""
    return _in_state(None)


def _in_state(state: State | None) -> list[Mail]:
    with the_queue().read() as tx:
        found = sorted(list_messages(tx, state), key=lambda record: int(record.id))
        return [_mail(record, content(tx, record.id)) for record in found]


def _mail(record: Any, data: bytes | None) -> Mail:
    assert data is not None
    return Mail(
        sender=record.sender,
        recipients=[each.address for each in record.recipients],
        content=data,
        lane=record.lane,
    )
