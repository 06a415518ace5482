"""The translation domain of what people read."""

from __future__ import annotations

from typing import Any

from zope.i18n import translate
from zope.i18nmessageid import MessageFactory

from collective.maildrophost.engine.wording import Wording

_ = MessageFactory("collective.maildrophost")


def message(words: str) -> Any:
    """What the engine says, to be translated where it is a Wording.

    No template may be inside itself: zope.i18n takes that for a circle.
    """
    if not isinstance(words, Wording):
        return words
    mapping = {name: message(value) for name, value in words.mapping.items()}
    return _(words.template, mapping=mapping)


def translated(message: Any, request: Any) -> str:
    """The message in the reader's language."""
    return str(translate(message, context=request))
