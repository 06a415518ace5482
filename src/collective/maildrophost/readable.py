"""What a request has as text, so that it can be shown and sent on."""

from __future__ import annotations

import re

_NO_CHARACTER = re.compile("[\ud800-\udfff]")


def readable(text: str) -> str:
    """The text, a question mark of Unicode for each octet that was no UTF-8.

    Zope keeps those as surrogates, which no answer and no address can have. They are
    not dropped: what is left may mean another thing, a search for nothing everything.
    """
    return _NO_CHARACTER.sub("\ufffd", text)
