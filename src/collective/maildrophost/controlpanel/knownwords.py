"""The daemon's English sentences, recognized by templates, so as to translate them."""

# The queue keeps faults and verdicts as texts. So a sentence of the daemon's is
# recognized here by its template; any other text, such as a relay's, stays as it is.

from __future__ import annotations

import re
from typing import Any

from collective.maildrophost.i18n import _


class KnownWords:
    """Some sentences of the daemon's, by their templates."""

    def __init__(self, *sentences: Any) -> None:
        self.sentences = sentences
        self._whole = {str(each): each for each in sentences if "$" not in each}
        self._patterns = [(each, _pattern(each)) for each in sentences]

    def known(self, text: str) -> Any:
        """The text, to be translated where it is one of these."""
        for template, pattern in self._patterns:
            if found := pattern.fullmatch(text):
                # No deeper: a relay may write what looks like a sentence in a sentence.
                values = {
                    name: self._whole.get(value, value)
                    for name, value in found.groupdict().items()
                }
                return _(template, mapping=values)
        return text


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\$\{(\w+)\}", template)
    names = iter(parts[1::2])
    return re.compile(
        "".join(
            f"(?P<{next(names)}>.+?)" if place % 2 else re.escape(part)
            for place, part in enumerate(parts)
        )
    )
