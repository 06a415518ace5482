"""The conversion of one option's text to its value."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..message import (
    InvalidMessage,
    check_address,
    parse_addresses,
)
from ..queueurl import SQLITE, parse_queue_url
from ..secrets import Secret
from ..wording import Unfit, Wording, _, verbatim
from .hostport import HostPort, parse_host_name, parse_host_port
from .option import Kind, Option

_WHOLE = re.compile(r"[+-]?[0-9]{1,15}\Z")
_NUMBER = re.compile(
    r"[+-]?(?:[0-9]{1,15}(?:\.[0-9]*)?|\.[0-9]{1,15})(?:[eE][+-]?[0-9]{1,2})?\Z"
)
_SWITCHES = {"0": False, "false": False, "1": True, "true": True}
LOOPBACK = ("localhost", "127.0.0.1", "::1")
_DEFAULT_METRICS_HOST = "127.0.0.1"


def convert(option: Option, text: str) -> Any:
    """The value of `option`; Unfit says what was expected.

    The error of an option that may hold a password never repeats `text`.
    """
    try:
        text.encode()
    except UnicodeEncodeError:  # the environment may hold any octets
        raise Unfit(_("expected UTF-8 text")) from None
    return _CONVERTERS[option.kind](option, text)


def _text(option: Option, text: str) -> str:
    if any(character < " " or character == "\x7f" for character in text):
        raise Unfit(_("expected a text without control characters"))
    return text


def _secret(option: Option, text: str) -> Secret:
    # SASL takes no NUL (RFC 4616 section 2).
    if "\0" in text:
        raise Unfit(_("expected a password without NUL"))
    return Secret(text)


def _switch(option: Option, text: str) -> bool:
    try:
        return _SWITCHES[text.lower()]
    except KeyError:
        raise _unexpected(_("0 or 1"), text) from None


def _whole(option: Option, text: str) -> int:
    if not (_WHOLE.match(text) and _is_in_range(option, int(text))):
        raise _unexpected(_in_range(option, _("a whole number")), text)
    return int(text)


def _seconds(option: Option, text: str) -> float:
    if not (_NUMBER.match(text) and _is_in_range(option, float(text))):
        raise _unexpected(_in_range(option, _("a number of seconds")), text)
    return float(text)


def _is_in_range(option: Option, value: float) -> bool:
    return (
        option.minimum <= value
        and (option.above is None or option.above < value)
        and (option.maximum is None or value <= option.maximum)
    )


def _in_range(option: Option, what: Wording) -> Wording:
    mapping = {"what": what, "minimum": f"{option.minimum:g}"}
    if option.above is not None:
        mapping["above"] = f"{option.above:g}"
        if option.maximum is None:
            return _("${what} above ${above}", mapping=mapping)
        mapping["maximum"] = f"{option.maximum:.0f}"
        return _("${what} above ${above}, at most ${maximum}", mapping=mapping)
    if option.maximum is None:
        return _("${what}, ${minimum} or more", mapping=mapping)
    mapping["maximum"] = f"{option.maximum:g}"
    return _("${what} from ${minimum} to ${maximum}", mapping=mapping)


def _path(option: Option, text: str) -> Path:
    if not _is_absolute(text):
        raise _unexpected(_("an absolute path"), text)
    _check_locale(text, repr(text))
    return Path(text)


def _is_absolute(path: str) -> bool:
    return path.startswith("/") and path.isprintable()


def _check_locale(path: str, shown: str) -> None:
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        # Later an operation on the file would end with this error, amid its work.
        raise Unfit(
            verbatim(
                f"{shown} has characters that the locale cannot write "
                f"({sys.getfilesystemencoding()}): set LC_ALL=C.UTF-8"
            )
        ) from None


def _paths(option: Option, text: str) -> tuple[Path, ...]:
    items = [item.strip() for item in text.split(";")]
    paths = dict.fromkeys(_path(option, item) for item in items if item)
    if not paths:
        raise _unexpected(_("at least one absolute path"), text)
    return tuple(paths)


def _optional_path(option: Option, text: str) -> str:
    if not text:
        return ""
    # The text is not repeated: it may be the password itself.
    if not _is_absolute(text):
        raise Unfit(_("expected the absolute path of a file"))
    _check_locale(text, "the path")
    return str(Path(text))


def _host(option: Option, text: str) -> str:
    return parse_host_name(text) if text else ""


def _address(option: Option, text: str) -> str:
    try:
        return check_address(text) if text else ""
    except InvalidMessage as error:
        raise Unfit(
            _("expected a mail address: ${reason}", mapping={"reason": error.wording})
        ) from None


def _addresses(option: Option, text: str) -> tuple[str, ...]:
    try:
        return parse_addresses(text) if text.strip() else ()
    except InvalidMessage as error:
        raise Unfit(
            _("expected mail addresses: ${reason}", mapping={"reason": error.wording})
        ) from None


def _queue(option: Option, text: str) -> str:
    url = parse_queue_url(text)
    if text.startswith(SQLITE):
        path = text.removeprefix(SQLITE)
        _check_locale(path, repr(path))
    return url


def _listen(option: Option, text: str) -> HostPort | None:
    if not text:
        return None
    if re.fullmatch(r":?[0-9]+", text):
        text = f"{_DEFAULT_METRICS_HOST}:{text.lstrip(':')}"
    return parse_host_port(text, None)


def _web(option: Option, text: str) -> str:
    if not text:
        return ""
    if not text.isprintable() or not _is_safe(text):
        raise Unfit(
            _(
                "expected an https:// address without a password in it "
                "(http:// only to this machine itself)"
            )
        )
    return text


def _is_safe(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises for no number, say a password up to its # or /
    except ValueError:
        return False
    secure = parts.scheme == "https" or (
        parts.scheme == "http" and parts.hostname in LOOPBACK
    )
    return secure and bool(parts.hostname) and not parts.password


def _choice(option: Option, text: str) -> str:
    if text.lower() in option.choices:
        return text.lower()
    allowed = ", ".join(choice or '""' for choice in option.choices)
    raise _unexpected(_("one of ${choices}", mapping={"choices": allowed}), text)


def _unexpected(what: Wording, text: str) -> Unfit:
    return Unfit(
        _("expected ${what}, got ${text}", mapping={"what": what, "text": repr(text)})
    )


_CONVERTERS: dict[Kind, Callable[[Option, str], Any]] = {
    Kind.TEXT: _text,
    Kind.SECRET: _secret,
    Kind.SWITCH: _switch,
    Kind.WHOLE: _whole,
    Kind.SECONDS: _seconds,
    Kind.PATH: _path,
    Kind.PATHS: _paths,
    Kind.FILE: _optional_path,
    # They need SMTP_PORT as well: `load` makes the relays from both options.
    Kind.RELAYS: _text,
    Kind.HOST: _host,
    Kind.ADDRESS: _address,
    Kind.ADDRESSES: _addresses,
    Kind.QUEUE: _queue,
    Kind.LISTEN: _listen,
    Kind.WEB: _web,
    Kind.CHOICE: _choice,
}
