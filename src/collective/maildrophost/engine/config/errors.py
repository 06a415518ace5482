"""The error that a configuration is refused with."""

from __future__ import annotations

from pathlib import Path

from ..errors import MaildropError


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
        expected: str,
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
        if self.from_environment:
            return f"environment variable {self.option}: {self.expected}"
        place = str(self.path) if self.line is None else f"{self.path}:{self.line}"
        named = "" if self.option is None else f"{self.option}: "
        return f"{place}: {named}{self.expected}"
