"""Text from people and browsers, made fit to be shown and sent on."""

from __future__ import annotations

import re

_SURROGATE = re.compile("[\ud800-\udfff]")


def readable(text: str) -> str:
    """The text, with U+FFFD for each octet that was not UTF-8.

    Zope keeps such octets as surrogates, which neither a response nor a URL can have.
    They are not dropped: the rest may mean something else, and a search for nothing
    finds everything.
    """
    return _SURROGATE.sub("\ufffd", text)


def on_one_line(text: str) -> str:
    """The text, one blank for each run of blanks and line breaks in it, none around."""
    return " ".join(text.split())
