"""What the tabs show, as plain dictionaries for their templates.

Nothing raises here: what is wrong is shown under "fault".
"""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlencode

from collective.maildrophost import productconfig
from collective.maildrophost.engine.clock import rfc3339
from collective.maildrophost.engine.config import Configuration
from collective.maildrophost.engine.config.relays import name_of
from collective.maildrophost.engine.digits import whole_number
from collective.maildrophost.engine.errors import MaildropError
from collective.maildrophost.engine.queue import (
    IN_QUEUE,
    Health,
    MessageRecord,
    Search,
    State,
    Transaction,
    look,
    prepared_batches,
    queue_length,
    search,
    sentence,
)
from collective.maildrophost.engine.queue.search import LAST_OFFSET, SCANNED
from collective.maildrophost.logtail import newest
from collective.maildrophost.queues import configured_queue, queue_at

MESSAGES_PER_PAGE = 50
RECIPIENTS_SHOWN = 20
LOG_BYTES = 50_000


def candidates(key: str) -> list[dict[str, Any]]:
    """The configurations to choose from, the one in use even when it is not listed."""
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
        **_figures(found),
    }


def _figures(found: Configuration) -> dict[str, Any]:
    try:
        queue = queue_at(found.queue)
        with queue.read() as tx:
            relay = name_of(found.relays)
            health, figures = look(tx, time.time(), relay)
            not_ended = queue_length(tx)
    except MaildropError as error:
        return {"fault": str(error)}
    return {
        "queue": queue.name,
        "not_ended": not_ended,
        "health": _health(health),
        "daemons": [f"{each.host}, process {each.pid}" for each in figures.daemons],
        "relay_fault": figures.relay.fault if figures.relay else "",
    }


def _health(health: Health) -> dict[str, Any]:
    said = sentence(health, rfc3339, lambda seconds: f"{seconds:.0f} s")
    held = ", ".join(health.held_lanes)
    return {
        "moving": health.moving,
        "sentence": f"{said}; held lanes: {held}" if held else said,
    }


def queue(key: str, text: str, state: str, offset: Any) -> dict[str, Any]:
    """One page of messages in `state` ("": every one not sent), and the batches."""
    wanted = State(state) if state in [each.value for each in State] else None
    start = whole_number(str(offset), LAST_OFFSET) or 0
    page = {
        "fault": "",
        "health": None,
        "states": [{"value": each.value, "selected": each is wanted} for each in State],
        "text": text,
        "messages": [],
        "total": 0,
        "only_newest": None,
        "batches": [],
        "earlier": _address(text, wanted, start - MESSAGES_PER_PAGE) if start else None,
        "later": None,
    }
    try:
        with configured_queue(key).read() as tx:
            return {
                **page,
                "health": _health(look(tx, time.time())[0]),
                "batches": _batches(tx),
                **_messages(tx, text, wanted, start),
            }
    except MaildropError as error:
        return {**page, "fault": str(error)}


def _batches(tx: Transaction) -> list[dict[str, Any]]:
    return [
        {**each.__dict__, "created": rfc3339(each.created)}
        for each in prepared_batches(tx)
    ]


def _messages(
    tx: Transaction, text: str, state: State | None, start: int
) -> dict[str, Any]:
    states = IN_QUEUE if state is None else (state,)
    found = search(tx, Search(text, states), MESSAGES_PER_PAGE, start)
    end = start + MESSAGES_PER_PAGE
    return {
        "messages": [_message(each) for each in found.records],
        "total": found.total,
        "only_newest": None if found.complete else SCANNED,
        "later": _address(text, state, end) if end < found.total else None,
    }


def _message(record: MessageRecord) -> dict[str, Any]:
    shown = record.by_need()[:RECIPIENTS_SHOWN]
    return {
        **record.as_json(),
        "recipients": [each.as_json() for each in shown],
        "more_recipients": len(record.recipients) - len(shown),
    }


def _address(text: str, state: State | None, offset: int) -> str:
    query = {
        "text": text,
        "state": state.value if state else "",
        "offset": max(0, offset),
    }
    return f"manage_queue?{urlencode(query)}"


def log(key: str) -> dict[str, Any]:
    """The newest part of the daemon's log, and where it is."""
    try:
        path = productconfig.configuration(key).log_file
        return {"fault": "", "path": str(path), "text": newest(path, LOG_BYTES)}
    except MaildropError as error:
        return {"fault": str(error), "path": "", "text": ""}
