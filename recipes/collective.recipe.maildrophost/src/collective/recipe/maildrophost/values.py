"""Checks an option's value, gives it as the configuration has it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from .errors import wrong_value
from .options import Kind, Option
from .owner import owner

_SWITCH = {
    **dict.fromkeys(("1", "true", "yes", "on"), "1"),
    **dict.fromkeys(("0", "false", "no", "off"), "0"),
}
# host, host:port, 2001:db8::1, [2001:db8::1] or [2001:db8::1]:port
_RELAY = re.compile(
    r"(\[[0-9A-Fa-f:.]+\]|[^\s:;\[\]]+)(:(?P<port>[0-9]{1,5}))?"
    r"|[0-9A-Fa-f.]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*"
)
_MAX_PORT = 65535
_QUEUES = {
    "sqlite:///": re.compile(r"/(?:[^?%]|%(?![0-9A-Fa-f]{2}))*[^?/]"),
    "postgresql+psycopg://": re.compile(
        r"(?!\Z)(?:[^:/?@]*(?::[^@]*)?@)?(?:\[[^]/?@]*\]|[^][:/?@]*)(?::[0-9]+)?"
        r"(?:/[^?@]*)?(?:\?[^@]*)?"
    ),
}
"""What may follow each: the daemon's own rule (engine/queueurl.py)."""
_COMMENT = re.compile(r"(^|\s)#.*")
_BARE = frozenset({Kind.SWITCH, Kind.WHOLE, Kind.SECONDS})


class Wrong(Exception):
    """Carries what was expected."""


def checked(section: str, name: str, option: Option, text: str, directory: Path) -> str:
    """`text` in the form that the daemon reads; UserError when it cannot be meant.

    `directory` is what a relative path starts from.
    """
    if option.kind is not Kind.SECRET:
        text = without_comment(text)
    try:
        return _CHECKS[option.kind](option, text.strip(), directory)
    except Wrong as wrong:
        raise wrong_value(section, name, str(wrong)) from None


def without_comment(text: str) -> str:
    """`text` without what follows a blank and a #; buildout leaves that in a value."""
    return "\n".join(_COMMENT.sub("", line) for line in text.splitlines())


def assignment(option: Option, value: str) -> str:
    """The line of the configuration; a shell reads the same value from it."""
    return f"{option.variable}={value if option.kind in _BARE else _quoted(value)}"


def _quoted(text: str) -> str:
    """Text in single quotes, where no character has a meaning but the quote."""
    return "'" + text.replace("'", r"'\''") + "'"


def _text(option: Option, text: str, directory: Path) -> str:
    if any(character in text for character in "\n\r\0"):
        raise Wrong("one line")
    return text


def _choice(option: Option, text: str, directory: Path) -> str:
    if text.lower() not in option.choices:
        raise Wrong("one of " + ", ".join(word or "nothing" for word in option.choices))
    return text.lower()


def _switch(option: Option, text: str, directory: Path) -> str:
    try:
        return _SWITCH[text.lower()]
    except KeyError:
        raise Wrong("0 or 1") from None


def _whole(option: Option, text: str, directory: Path) -> str:
    if not re.fullmatch(r"[0-9]{1,18}", text) or not _within(option, int(text)):
        raise Wrong(f"a whole number {_limits(option)}")
    return text


def _seconds(option: Option, text: str, directory: Path) -> str:
    number = re.fullmatch(r"[0-9]{1,18}(\.[0-9]*)?|\.[0-9]+", text)
    if not number or not _within(option, float(text)):
        raise Wrong(f"a number of seconds {_limits(option)}")
    return text


def _within(option: Option, number: float) -> bool:
    return (
        number >= option.minimum
        and (option.maximum is None or number <= option.maximum)
        and (option.above is None or number > option.above)
    )


def _limits(option: Option) -> str:
    if option.above is not None:
        at_most = "" if option.maximum is None else f", at most {option.maximum:.0f}"
        return f"above {option.above:g}{at_most}"
    if option.maximum is not None:
        return f"from {option.minimum:g} to {option.maximum:g}"
    return f"of at least {option.minimum:g}"


def _path(option: Option, text: str, directory: Path) -> str:
    line = _text(option, text, directory)
    return str(directory / line) if line else ""


def _paths(option: Option, text: str, directory: Path) -> str:
    paths = [_path(option, path, directory) for path in _several(text)]
    if not paths:
        raise Wrong("one or several paths, a line or a ; between them")
    return ";".join(paths)


def _relays(option: Option, text: str, directory: Path) -> str:
    relays = _several(text)
    if not relays or not all(_is_relay(relay) for relay in relays):
        raise Wrong("host or host:port, several with a line or a ; between them")
    return ";".join(relays)


def _is_relay(text: str) -> bool:
    match = _RELAY.fullmatch(text)
    return match is not None and 1 <= int(match["port"] or 1) <= _MAX_PORT


def _queue(option: Option, text: str, directory: Path) -> str:
    line = _text(option, text, directory)
    for scheme, rest in _QUEUES.items():
        if line.startswith(scheme) and rest.fullmatch(line, len(scheme)):
            return line
    raise Wrong(
        "sqlite:///ABSOLUTE/PATH, without a ? or anything like %41 in the path, or "
        "postgresql+psycopg://USER@HOST/DATABASE, with %40 for an @ in a name or a "
        "password"
    )


def _user(option: Option, text: str, directory: Path) -> str:
    try:
        return owner(text).name
    except KeyError:
        raise Wrong("the name of a user of this machine") from None


def _several(text: str) -> list[str]:
    return [part.strip() for part in re.split(r"[;\n]", text) if part.strip()]


_CHECKS: dict[Kind, Callable[[Option, str, Path], str]] = {
    Kind.TEXT: _text,
    Kind.SECRET: _text,
    Kind.QUEUE: _queue,
    Kind.SWITCH: _switch,
    Kind.WHOLE: _whole,
    Kind.SECONDS: _seconds,
    Kind.PATH: _path,
    Kind.PATHS: _paths,
    Kind.RELAYS: _relays,
    Kind.CHOICE: _choice,
    Kind.USER: _user,
}
