"""Turns the value of an option into what the configuration has for it."""

# The daemon validates the values (validation.py): only what cannot be written at all is
# refused here.

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from .errors import wrong_value
from .options import Kind, Option
from .owner import owner

_SWITCH = {
    **dict.fromkeys(("true", "yes", "on"), "1"),
    **dict.fromkeys(("false", "no", "off"), "0"),
}
_COMMENT = re.compile(r"(^|\s)#.*")
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")
_SPECIAL_IN_DOUBLE_QUOTES = re.compile(r'[$`"\\]')


class Wrong(Exception):
    """Carries what was expected."""


def in_words_of_the_daemon(
    section: str, name: str, option: Option, text: str, directory: Path
) -> str:
    """`text` in the form that the daemon reads; UserError when it has none.

    `directory` is what a relative path starts from.
    """
    if option.kind is not Kind.SECRET:
        text = without_comment(text)
    try:
        return _line(_FORMS[option.kind](text.strip(), directory))
    except Wrong as wrong:
        raise wrong_value(section, name, str(wrong)) from None


def without_comment(text: str) -> str:
    """`text` without what follows a blank and a #, which buildout leaves in a value."""
    return "\n".join(_COMMENT.sub("", line) for line in text.splitlines())


def assignment(option: Option, value: str) -> str:
    """The line of the configuration, from which a shell reads the same value."""
    is_number = option.kind is not Kind.SECRET and _NUMBER.fullmatch(value)
    return f"{option.variable}={value if is_number else _quoted(value)}"


def _quoted(text: str) -> str:
    """`text` in quotes that keep every character as it is."""
    if not _SPECIAL_IN_DOUBLE_QUOTES.search(text):
        return f'"{text}"'
    # Between single quotes no character has a meaning but the quote.
    return "'" + text.replace("'", r"'\''") + "'"


def _line(text: str) -> str:
    if any(character in text for character in "\n\r\0"):
        raise Wrong("one line")
    return text


def _text(text: str, directory: Path) -> str:
    return text


def _switch(text: str, directory: Path) -> str:
    return _SWITCH.get(text.lower(), text)


def _path(text: str, directory: Path) -> str:
    if text.startswith(("~", "$")):
        # Nobody would look for the mail in a directory called ~ or $MAILDROP_HOME. The
        # text is not repeated: it may be the password itself.
        raise Wrong(
            "a path that is written out, such as /home/zope/mail, since buildout "
            "expands neither ~ nor $NAME; for a directory called like that put ./ "
            "before it"
        )
    return str(directory / text) if text else ""


def _paths(text: str, directory: Path) -> str:
    # A lone ; is no path, and not the default either: the daemon says so.
    return ";".join(_path(path, directory) for path in _several(text)) or text


def _relays(text: str, directory: Path) -> str:
    return ";".join(_several(text)) or text


def _user(text: str, directory: Path) -> str:
    try:
        return owner(text).name
    except KeyError:
        raise Wrong("the name of a user of this machine") from None


def _several(text: str) -> list[str]:
    return [part.strip() for part in re.split(r"[;\n]", text) if part.strip()]


_FORMS: dict[Kind, Callable[[str, Path], str]] = {
    Kind.TEXT: _text,
    Kind.SECRET: _text,
    Kind.QUEUE: _text,
    Kind.SWITCH: _switch,
    Kind.PATH: _path,
    Kind.PATHS: _paths,
    Kind.RELAYS: _relays,
    Kind.USER: _user,
}
