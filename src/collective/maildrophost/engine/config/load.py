"""Reads a configuration file into a checked `Configuration`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..secrets import Secret
from ..secrets.secretfile import read_line
from ..systemwords import reason
from ..wording import Unfit, Wording, _, verbatim, why
from .checks import check_together
from .configuration import Configuration
from .errors import ConfigurationError
from .option import Option
from .options import OPTIONS
from .relays import RelayAddress, parse_relays
from .settings import Settings
from .values import convert

_MAX_FILE_BYTES = 1_000_000


def load(path: str | Path, environ: Mapping[str, str] | None = None) -> Configuration:
    """Read the file at `path`; the environment (os.environ) wins over it.

    ConfigurationError says what is wrong, where, and what was expected.
    """
    file = _absolute(Path(path))
    settings = Settings(file, os.environ if environ is None else environ)
    values = checked(settings, _read(file))
    if values["password_file"]:
        values["password"] = _password(settings, values["password_file"])
    _check_ca_file(settings, values["tls_ca_file"])
    return Configuration(path=file, warnings=tuple(settings.warnings), **values)


def checked(settings: Settings, text: str) -> dict[str, Any]:
    """Every value of a file with this `text`; ConfigurationError when one is wrong.

    The files that the values name are not looked at.
    """
    settings.read(text)
    values = {option.attribute: _value(settings, option) for option in OPTIONS}
    values["relays"] = _relays(
        settings, values.pop("smtp_host"), values.pop("smtp_port")
    )
    check_together(settings, values)
    return values


def _absolute(path: Path) -> Path:
    try:
        return path.absolute()
    except OSError as error:  # the working directory was removed
        raise _unreadable(path, reason(error)) from None


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        raise _unreadable(path, reason(error)) from None
    except ValueError as error:
        raise _unreadable(path, verbatim(error)) from None
    if len(data) > _MAX_FILE_BYTES:
        raise ConfigurationError(
            path,
            None,
            None,
            _("expected at most ${count} bytes", mapping={"count": _MAX_FILE_BYTES}),
        )
    return _decode(path, data)


def _unreadable(path: Path, why: Wording) -> ConfigurationError:
    expected = _(
        "expected a readable configuration file: ${reason}", mapping={"reason": why}
    )
    return ConfigurationError(path, None, None, expected)


def _decode(path: Path, data: bytes) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigurationError(path, line, None, _("expected UTF-8 text")) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ConfigurationError(path, line, None, _("expected text without NUL"))
    return text


def _value(settings: Settings, option: Option) -> Any:
    setting = settings.get(option)
    if setting is None:
        required = _(
            "required: expected an ${what}", mapping={"what": option.kind.value}
        )
        raise settings.error(option.name, required)
    try:
        return convert(option, setting.text)
    except ValueError as error:
        raise settings.error(option.name, why(error)) from None


def _relays(settings: Settings, hosts: str, port: int) -> tuple[RelayAddress, ...]:
    try:
        return parse_relays(hosts, port)
    except Unfit as error:
        raise settings.error("SMTP_HOST", error.why) from None


def _password(settings: Settings, path: str) -> Secret:
    try:
        return read_line(path)
    except Unfit as error:
        raise settings.error("MAILDROP_PASSWORD_FILE", error.why) from None


def _check_ca_file(settings: Settings, path: str) -> None:
    if path and not (os.path.isfile(path) and os.access(path, os.R_OK)):
        raise settings.error(
            "MAILDROP_TLS_CA_FILE",
            _("expected a readable file: ${path}", mapping={"path": path}),
        )
