"""The translation domain of everything that people read."""

from __future__ import annotations

from typing import Any

from zope.i18n import translate
from zope.i18nmessageid import MessageFactory

from collective.maildrophost.engine.wording import Wording

_ = MessageFactory("collective.maildrophost")


def message(words: str) -> Any:
    """What the engine says: a message to translate if it is a Wording, else unchanged.

    No template may be among its own values: zope.i18n takes that for a cycle.
    """
    if not isinstance(words, Wording):
        return words
    mapping = {name: message(value) for name, value in words.mapping.items()}
    return _(words.template, mapping=mapping)


def translated(message: Any, request: Any) -> str:
    """The message in the reader's language."""
    return str(translate(message, context=request))
