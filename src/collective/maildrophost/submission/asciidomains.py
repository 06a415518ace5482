"""Domains beyond ASCII as A-labels (RFC 5891), before MailHost writes headers of them.

MailHost takes addresses in ASCII only. The domain in the envelope becomes the same on
its way to the relay; a local part has no such form.
"""

from __future__ import annotations

import re
from copy import deepcopy
from email.message import Message
from typing import Any

from collective.maildrophost.engine.domains import with_ascii_domains
from collective.maildrophost.submission.headers import head_end

_NAMES = "from", "sender", "reply-to", "to", "cc", "bcc"
_ADDRESS_HEADERS = {*_NAMES, *(f"resent-{name}" for name in _NAMES)}
_FIELD = re.compile(r"^([!-9;-~]+)[ \t]*:.*(?:\n[ \t].*)*", re.MULTILINE)


def in_addresses(value: Any) -> Any:
    """The sender or the recipients, a text or a list of texts, with ASCII domains."""
    if isinstance(value, str):
        return with_ascii_domains(value)
    if isinstance(value, list):
        return [in_addresses(each) for each in value]
    return value


def in_message(message: Any) -> Any:
    """The message, or a copy with ASCII domains in its address headers."""
    if isinstance(message, str) and not message.isascii():
        end = head_end(message)
        return _FIELD.sub(_field, message[:end]) + message[end:]
    if isinstance(message, Message):
        changed = _changed_headers(message)
        return _with_headers(message, changed) if changed else message
    return message


def _field(field: re.Match[str]) -> str:
    has_addresses = field[1].lower() in _ADDRESS_HEADERS
    return with_ascii_domains(field[0]) if has_addresses else field[0]


def _changed_headers(message: Message) -> dict[str, list[str]]:
    names = {
        name.lower() for name, value in message.raw_items() if _is_beyond_ascii(value)
    }
    changed = {}
    for name in names & _ADDRESS_HEADERS:
        texts = [str(value) for value in message.get_all(name, ())]
        values = [with_ascii_domains(text) for text in texts]
        if values != texts:
            changed[name] = values
    return changed


def _is_beyond_ascii(value: Any) -> bool:
    return not str(value).isascii()


def _with_headers(message: Message, changed: dict[str, list[str]]) -> Message:
    twin = deepcopy(message)
    for name, values in changed.items():
        del twin[name]
        for value in values:
            twin[name] = value
    return twin
