"""The error that a configuration is refused with."""

from __future__ import annotations

from pathlib import Path

from ..errors import MaildropError
from ..wording import Wording, _


class ConfigurationError(MaildropError):
    """Says where the configuration is wrong, and what was expected there.

    ``path`` is the file, ``line`` the line in it, counted from 1 (None: the value is
    missing or came from the environment), ``option`` the name of the option (None: the
    file as a whole).
    """

    def __init__(
        self,
        path: Path,
        line: int | None,
        option: str | None,
        expected: Wording,
        *,
        from_environment: bool = False,
    ) -> None:
        super().__init__(path, line, option, expected)
        self.path = path
        self.line = line
        self.option = option
        self.expected = expected
        self.from_environment = from_environment

    def __str__(self) -> str:
        return str(self.wording)

    @property
    def wording(self) -> Wording:
        if self.option is None:
            mapping = {"place": place(self.path, self.line), "text": self.expected}
            return _("${place}: ${text}", mapping=mapping)
        if self.from_environment:
            return in_environment(self.option, self.expected)
        return in_file(self.path, self.line, self.option, self.expected)


def in_environment(option: str, text: Wording) -> Wording:
    """`text`, said of an option that the environment sets."""
    return _(
        "environment variable ${option}: ${text}",
        mapping={"option": option, "text": text},
    )


def in_file(path: Path, line: int | None, option: str, text: Wording) -> Wording:
    """`text`, said of an option in a file."""
    return _(
        "${place}: ${option}: ${text}",
        mapping={"place": place(path, line), "option": option, "text": text},
    )


def place(path: Path, line: int | None) -> str:
    """A file, or a line of it, as editors and compilers write it."""
    return str(path) if line is None else f"{path}:{line}"
