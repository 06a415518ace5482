"""What people are told, kept so that it can be told in another language, too."""

# Rules of this file:
# - The engine writes English and translates nothing: who shows a text does (i18n.py).
# - `_` has the name and the arguments that tools look for when they collect texts to be
#   translated; a test fails for a text that a catalog lacks.

from __future__ import annotations

import re
from collections.abc import Mapping

_PARAMETER = re.compile(r"\$\{(\w+)\}")


class Wording(str):
    """Works as its English text; knows the template that the text was made from.

    `mapping` has the text for each ``${name}`` of the `template`; those that are
    wordings themselves are translated, too.
    """

    template: str
    mapping: Mapping[str, str]

    def __new__(cls, template: str, mapping: Mapping[str, object] = {}) -> Wording:
        shown = {name: _shown(mapping[name]) for name in _PARAMETER.findall(template)}
        wording = super().__new__(
            cls, _PARAMETER.sub(lambda parameter: shown[parameter[1]], template)
        )
        wording.template, wording.mapping = template, shown
        return wording

    def __getnewargs__(self) -> tuple[str, Mapping[str, str]]:  # type: ignore[override]
        return self.template, self.mapping


def _shown(value: object) -> str:
    # A value that hides a part of itself (a password, say) does so in str().
    return value if isinstance(value, Wording) else str(value)


_ = Wording


def verbatim(words: object) -> Wording:
    """Words that are not translated: a database's, or ones that only the log shows."""
    return _("${words}", mapping={"words": words})


class Unfit(ValueError):
    """A value that will not do; `why` says what was expected."""

    def __init__(self, why: Wording) -> None:
        super().__init__(why)
        self.why = why


def why(error: ValueError) -> Wording:
    """What an error says of a value, be the error ours or the system's."""
    return error.why if isinstance(error, Unfit) else verbatim(error)
