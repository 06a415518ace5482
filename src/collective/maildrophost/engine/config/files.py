"""The files that a configuration names, looked at when it is loaded."""

from __future__ import annotations

import os
from pathlib import Path

from collective.maildrophost.engine.config.settings import Settings
from collective.maildrophost.engine.secret import Secret


def password_of_file(settings: Settings, path: Path) -> Secret:
    """The one line of the file at `path`; ConfigurationError when there is none."""
    name = "MAILDROP_PASSWORD_FILE"
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise settings.error(
            name, f"expected a readable file: {path}: {error.strerror}"
        ) from None
    except UnicodeDecodeError:
        raise settings.error(name, f"expected UTF-8 text in {path}") from None
    line = text.removesuffix("\n").removesuffix("\r")
    if not line or "\n" in line or "\0" in line:
        raise settings.error(name, f"expected exactly one line with it in {path}")
    return Secret(line)


def check_ca_file(settings: Settings, path: str) -> None:
    """ConfigurationError when there is a `path`, but no file that can be read."""
    if path and not (os.path.isfile(path) and os.access(path, os.R_OK)):
        raise settings.error(
            "MAILDROP_TLS_CA_FILE", f"expected a readable file: {path}"
        )
