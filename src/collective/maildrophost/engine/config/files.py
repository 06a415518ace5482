"""The files that a configuration names, looked at when it is loaded."""

from __future__ import annotations

import os
from pathlib import Path

from ..secrets import Secret
from ..secrets.secretfile import read_line
from ..wording import Unfit, _
from .settings import Settings


def password_of_file(settings: Settings, path: Path) -> Secret:
    """The one line of the file at `path`; ConfigurationError when there is none."""
    try:
        return read_line(str(path))
    except Unfit as error:
        raise settings.error("MAILDROP_PASSWORD_FILE", error.why) from None


def check_ca_file(settings: Settings, path: str) -> None:
    """ConfigurationError when there is a `path`, but no file that can be read."""
    if path and not (os.path.isfile(path) and os.access(path, os.R_OK)):
        raise settings.error(
            "MAILDROP_TLS_CA_FILE",
            _("expected a readable file: ${path}", mapping={"path": path}),
        )
