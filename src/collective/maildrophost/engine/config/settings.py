"""What the file and the environment say about each option, before conversion."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..wording import Wording, _
from .errors import ConfigurationError, in_environment, in_file
from .option import EMPTY_IS_DEFAULT, Kind, Option
from .options import BY_NAME
from .text import Assignment, TextError, expand, read_assignments

_PYTHON_WORDS = ("True", "False")
_EITHER_OR = {
    "MAILDROP_PASSWORD": "MAILDROP_PASSWORD_FILE",
    "MAILDROP_PASSWORD_FILE": "MAILDROP_PASSWORD",
}
"""Two options for one thing: one in the environment wins over both in the file."""


@dataclass(frozen=True)
class Setting:
    """The text of one option; ``line`` is None for a default or the environment."""

    text: str
    line: int | None = None
    from_environment: bool = False


class Settings:
    """Every option that is set, by name, with the warnings that came up."""

    def __init__(self, path: Path, environ: Mapping[str, str]) -> None:
        self.path = path
        self.warnings: list[Wording] = []
        self._given: dict[str, Setting] = {
            name: Setting(environ[name], from_environment=True)
            for name in BY_NAME
            if name in environ
        }

    def read(self, text: str) -> None:
        """Take over the assignments of a file; ConfigurationError when it is wrong."""
        seen: dict[str, int] = {}
        try:
            for assignment in read_assignments(text):
                self._take(assignment, seen)
        except TextError as error:
            raise ConfigurationError(
                self.path, error.line, error.name, error.expected
            ) from None

    def get(self, option: Option) -> Setting | None:
        """What `option` is set to, or its default; None when it has neither."""
        given = self._given.get(option.name)
        if given is not None and (given.text or option.kind not in EMPTY_IS_DEFAULT):
            return given
        if option.default is None:
            return None
        (default,) = read_assignments(option.assignment())
        text, _shell_differs = expand(default.word, self._lookup)
        return Setting(text)

    def is_given(self, name: str) -> bool:
        """Whether the file or the environment sets option `name`."""
        return name in self._given

    def error(self, name: str, expected: Wording) -> ConfigurationError:
        """The error that names where option `name` was set."""
        given = self._given.get(name, Setting(""))
        default = BY_NAME[name].default or ""
        if name not in self._given and "$" in default:
            expected = _(
                "${expected} (it is ${default} unless set)",
                mapping={"expected": expected, "default": default},
            )
        return ConfigurationError(
            self.path,
            given.line,
            name,
            expected,
            from_environment=given.from_environment,
        )

    def warn(self, name: str, text: Wording) -> None:
        """Note something odd about option `name`, with the place where it was set."""
        given = self._given.get(name, Setting(""))
        if given.from_environment:
            self.warnings.append(in_environment(name, text))
        else:
            self._warn_of_line(name, given.line, text)

    def _take(self, assignment: Assignment, seen: dict[str, int]) -> None:
        name, line = assignment.name, assignment.line
        option = BY_NAME.get(name)
        if option is None:
            self._warn_of_line(name, line, _unknown(name))
            return
        if name in seen:
            again = _(
                "set again: this line wins over line ${line}",
                mapping={"line": seen[name]},
            )
            self._warn_of_line(name, line, again)
        seen[name] = line
        if not self._in_environment(name):
            self._assign(option, assignment)

    def _in_environment(self, name: str) -> bool:
        given, other = self._given.get(name), self._given.get(_EITHER_OR.get(name, ""))
        return (given is not None and given.from_environment) or (
            other is not None and other.from_environment and other.text != ""
        )

    def _assign(self, option: Option, assignment: Assignment) -> None:
        text, shell_differs = expand(assignment.word, self._lookup)
        bare = assignment.word.bare
        unset = bare and text == "None"
        if unset and option.default is not None:
            self._given.pop(option.name, None)
            return
        is_python = bare and text in _PYTHON_WORDS
        if unset or (is_python and option.kind is not Kind.SWITCH):
            raise ConfigurationError(
                self.path,
                assignment.line,
                option.name,
                _(
                    "expected ${what}, got ${text}",
                    mapping={"what": option.kind.value, "text": text},
                ),
            )
        if shell_differs:
            self._warn_of_line(
                option.name,
                assignment.line,
                _(
                    "a shell would replace the $ or ` in it, here it stays as it is: "
                    "put the value between single quotes"
                ),
            )
        self._given[option.name] = Setting(text, assignment.line)

    def _warn_of_line(self, name: str, line: int | None, text: Wording) -> None:
        self.warnings.append(in_file(self.path, line, name, text))

    def _lookup(self, name: str) -> str | None:
        option = BY_NAME.get(name)
        # A password has no business in another option, where it would be shown.
        if option is None or option.kind is Kind.SECRET:
            return None
        setting = self.get(option)
        return None if setting is None else setting.text


def _unknown(name: str) -> Wording:
    nearest = _nearest(name)
    if nearest is None:
        return _("unknown option, ignored")
    return _(
        "unknown option, ignored; did you mean ${nearest}?",
        mapping={"nearest": nearest},
    )


def _nearest(name: str) -> str | None:
    whole = f"MAILDROP_{name.upper()}"
    if whole in BY_NAME:
        return whole
    close = difflib.get_close_matches(name.upper(), BY_NAME, n=1, cutoff=0.6)
    return close[0] if close else None
