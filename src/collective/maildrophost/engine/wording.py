"""What people are told, kept so that it can be told in another language, too."""

# Rules of this file:
# - The engine writes English, and translates nothing: who shows it does (i18n.py).
# - `_` has the name and the arguments that tools look for which collect what is to be
#   translated: a text that no catalog has fails a test.

from __future__ import annotations

import re
from collections.abc import Mapping

_PARAMETER = re.compile(r"\$\{(\w+)\}")


class Wording(str):
    """Works as its English text; knows the template that this was made from.

    `mapping` has what stands for each ``${name}`` of the `template`: texts, of which
    those that are wordings themselves are translated, too.
    """

    template: str
    mapping: Mapping[str, str]

    def __new__(cls, template: str, mapping: Mapping[str, object] = {}) -> Wording:
        shown = {name: _shown(mapping[name]) for name in _PARAMETER.findall(template)}
        wording = super().__new__(
            cls, _PARAMETER.sub(lambda each: shown[each[1]], template)
        )
        wording.template, wording.mapping = template, shown
        return wording

    def __getnewargs__(self) -> tuple[str, Mapping[str, str]]:  # type: ignore[override]
        return self.template, self.mapping


def _shown(value: object) -> str:
    # What hides a part of itself does so in str().
    return value if isinstance(value, Wording) else str(value)


_ = Wording


def verbatim(words: object) -> Wording:
    """What is not translated: a database says it, or the log alone shows it."""
    return _("${words}", mapping={"words": words})


class Unfit(ValueError):
    """A value that will not do; `why` says what was expected."""

    def __init__(self, why: Wording) -> None:
        super().__init__(why)
        self.why = why


def why(error: ValueError) -> Wording:
    """What an error says of a value, be it ours or of the system."""
    return error.why if isinstance(error, Unfit) else verbatim(error)
