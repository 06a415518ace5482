"""What is known of an option: its kind of value, default, meaning, limits."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ..wording import _


class Kind(Enum):
    """What kind of value an option has."""

    TEXT = _("text")
    SECRET = _("password")
    SWITCH = _("0 or 1")
    WHOLE = _("whole number")
    SECONDS = _("seconds")
    PATH = _("absolute path")
    PATHS = _("absolute paths, separated by ;")
    FILE = _("absolute path, or nothing")
    RELAYS = _("relays, separated by ;")
    HOST = _("host name, or nothing")
    ADDRESS = _("mail address, or nothing")
    ADDRESSES = _("mail addresses, separated by commas")
    QUEUE = _("database URL")
    LISTEN = _("host:port, or nothing")
    WEB = _("web address, or nothing")
    CHOICE = _("one of a few words")


EMPTY_IS_DEFAULT = frozenset({Kind.PATH, Kind.PATHS, Kind.RELAYS, Kind.QUEUE})
"""Kinds where an empty value stands for the default."""
NUMERIC = frozenset({Kind.SWITCH, Kind.WHOLE, Kind.SECONDS})


@dataclass(frozen=True)
class Option:
    """One option; ``default`` is the text as in the file, None when it is required.

    ``minimum`` and ``maximum`` bound the numeric kinds and are allowed themselves;
    ``above`` is a lower bound that is not.
    """

    name: str
    kind: Kind
    default: str | None
    doc: str
    minimum: float = 0
    maximum: float | None = None
    above: float | None = None
    choices: tuple[str, ...] = ()

    @property
    def attribute(self) -> str:
        """The option's name in lower case without ``maildrop_``."""
        return self.name.lower().removeprefix("maildrop_")

    def assignment(self) -> str:
        """A line of the file that sets the option to its default."""
        text = self.default or ""
        value = text if self.kind in NUMERIC else f'"{text}"'
        return f"{self.name}={value}"
