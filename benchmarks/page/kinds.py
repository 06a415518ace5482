"""The mail that a page writes: a text, and a text with the same in HTML."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

from collective.maildrophost.submission.munged import munged

from ..letters import RECIPIENT, SENDER

_LINE = "All work and no play makes mail a dull thing to read. "
TEXT_CHARACTERS, SHORT_TEXT_CHARACTERS, HTML_CHARACTERS = 4300, 2000, 6000


@dataclass(frozen=True, eq=False)
class Kind:
    """One kind: `write` makes a message, `options` are what `send` gets besides it."""

    name: str
    write: Callable[[], Any]
    options: Mapping[str, str]

    def content(self) -> bytes:
        """Such a message as it is queued."""
        content, _ = munged(self.write(), RECIPIENT, SENDER, **self.options)
        return content


def _lines(characters: int, line: str = _LINE) -> str:
    return (line * (characters // len(line) + 1))[:characters]


def _text() -> str:
    return _lines(TEXT_CHARACTERS)


def _html() -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = "a benchmark"
    message.set_content(_lines(SHORT_TEXT_CHARACTERS))
    message.add_alternative(_lines(HTML_CHARACTERS, f"<p>{_LINE}</p>"), subtype="html")
    return message


TEXT = Kind("text", _text, {"subject": "a benchmark", "charset": "utf-8"})
"""As Plone's own pages and content rules send it, and plone.api's `send_email`."""
HTML = Kind("HTML", _html, {})
"""A text with the same in HTML, as add-ons and newsletters send it."""
KINDS = (TEXT, HTML)
