"""What the tabs show, as plain dictionaries for their templates.

Nothing raises here: what is wrong is shown under "fault".
"""

from __future__ import annotations

import time
from typing import Any

from collective.maildrophost import productconfig
from collective.maildrophost.batches import prepared_batches
from collective.maildrophost.engine.clock import rfc3339
from collective.maildrophost.engine.config import Configuration
from collective.maildrophost.engine.errors import MaildropError
from collective.maildrophost.engine.queue import (
    State,
    Transaction,
    list_messages,
    queue_length,
    stats,
)
from collective.maildrophost.logtail import newest
from collective.maildrophost.queues import queue_at

MESSAGES_PER_PAGE = 50


def candidates(key: str) -> list[dict[str, Any]]:
    """The configurations to choose from, with one in use that is no longer listed."""
    listed = productconfig.configurations()
    if key not in listed:
        listed = {**listed, key: "not listed in zope.conf"}
    return [
        {"key": each, "path": path, "selected": each == key}
        for each, path in listed.items()
    ]


def configuration(key: str) -> dict[str, Any]:
    """The configuration in use, with what its queue says."""
    try:
        found = productconfig.configuration(key)
    except MaildropError as error:
        return {"fault": str(error)}
    return {
        "fault": "",
        "path": str(found.path),
        "relays": ", ".join(str(relay) for relay in found.relays),
        "warnings": list(found.warnings),
        **_health(found),
    }


def _health(found: Configuration) -> dict[str, Any]:
    try:
        queue = queue_at(found.queue)
        with queue.read() as tx:
            figures = stats(tx, time.time())
            waiting = queue_length(tx)
    except MaildropError as error:
        return {"fault": str(error)}
    return {
        "queue": queue.name,
        "waiting": waiting,
        "daemons": [f"{each.host}, process {each.pid}" for each in figures.daemons],
        "relay_fault": figures.relay.fault if figures.relay else "",
    }


def queue(key: str, state: str, offset: Any) -> dict[str, Any]:
    """One page of messages in `state` ("": every one not sent), and the batches."""
    wanted = State(state) if state in [each.value for each in State] else None
    start = int(offset) if str(offset).isdigit() else 0
    page = {
        "fault": "",
        "states": [{"value": each.value, "selected": each is wanted} for each in State],
        "state": wanted.value if wanted else "",
        "messages": [],
        "batches": [],
        "earlier": max(0, start - MESSAGES_PER_PAGE) if start else None,
        "later": None,
    }
    try:
        with queue_at(productconfig.configuration(key).queue).read() as tx:
            return {**page, "batches": _batches(tx), **_messages(tx, wanted, start)}
    except MaildropError as error:
        return {**page, "fault": str(error)}


def _batches(tx: Transaction) -> list[dict[str, Any]]:
    return [
        {**each.__dict__, "created": rfc3339(each.created)}
        for each in prepared_batches(tx)
    ]


def _messages(tx: Transaction, state: State | None, start: int) -> dict[str, Any]:
    # One more than is shown tells whether there is another page.
    found = list_messages(tx, state, MESSAGES_PER_PAGE + 1, start)
    more = len(found) > MESSAGES_PER_PAGE
    return {
        "messages": [each.as_json() for each in found[:MESSAGES_PER_PAGE]],
        "later": start + MESSAGES_PER_PAGE if more else None,
    }


def log(key: str, max_bytes: int) -> dict[str, Any]:
    """The newest part of the daemon's log, and where it is."""
    try:
        path = productconfig.configuration(key).log_file
    except MaildropError as error:
        return {"fault": str(error), "path": "", "text": ""}
    return {"fault": "", "path": str(path), "text": newest(path, max_bytes)}
