"""GET @maildrop, @maildrop/messages, @maildrop/messages/ID."""

from __future__ import annotations

import time
from typing import Any

from plone.restapi.batching import HypermediaBatch

from collective.maildrophost.api.mailhost import (
    configuration_of,
    maildrop_host,
    queue_of,
)
from collective.maildrophost.api.messages import message_and_history
from collective.maildrophost.api.query import read_query
from collective.maildrophost.api.service import MESSAGES, QueueService
from collective.maildrophost.engine.config.relays import name_of
from collective.maildrophost.engine.queue import look, search


class MaildropGet(QueueService):
    """The status of the queue, and its messages."""

    def answer(self) -> dict[str, Any]:
        """The status, a page of messages, or one of them."""
        match self.path:
            case []:
                return self._status()
            case [first] if first == MESSAGES:
                return self._page()
            case _:
                return self._message(self.message_id())

    def _status(self) -> dict[str, Any]:
        mail_host = maildrop_host(self.context)
        relay = name_of(configuration_of(self.context).relays)
        with queue_of(self.context).read() as tx:
            health, figures = look(tx, time.time(), relay)
        return {
            "@id": self.url(),
            "configuration": mail_host.getConfigKey(),
            "health": health.as_json(),
            "stats": figures.as_json(),
            "messages": {"@id": self.url(MESSAGES)},
        }

    def _page(self) -> dict[str, Any]:
        wanted = read_query(self.request.get("QUERY_STRING", ""))
        with queue_of(self.context).read() as tx:
            found = search(tx, wanted.search, wanted.size, wanted.start)
        # Only for the links to other pages: of the messages, one page was read.
        batch = HypermediaBatch(self.request, range(found.total))
        page = {
            "@id": batch.canonical_url,
            "items": [self.message_json(each) for each in found.records],
            "items_total": batch.items_total,
            "complete": found.complete,
        }
        return {**page, "batching": batch.links} if batch.links else page

    def _message(self, id: str) -> dict[str, Any]:
        message, history = message_and_history(queue_of(self.context), id)
        return {**self.message_json(message), "history": history}
