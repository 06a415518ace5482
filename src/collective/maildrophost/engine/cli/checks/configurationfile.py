"""Whether the configuration is free of warnings and its secrets are private."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from .finding import Finding, failed, ok, warning

if TYPE_CHECKING:
    from ...config import Configuration

SUBJECT = "configuration"


def check(configuration: Configuration) -> Iterator[Finding]:
    """The file that was read, then every file with a secret in it."""
    for text in configuration.warnings:
        yield warning(SUBJECT, text)
    yield _privacy(configuration.path, _holds_secret(configuration))
    for name in (
        configuration.password_file,
        configuration.oauth_client_secret_file,
        configuration.oauth_refresh_token_file,
    ):
        if name:
            yield _privacy(Path(name), secret=True)
    yield from _metrics(configuration)


def _holds_secret(configuration: Configuration) -> bool:
    from ...config import ConfigurationError, load

    try:
        alone = load(configuration.path, {})
    except ConfigurationError:
        alone = configuration  # without the environment the file says too little
    password = bool(alone.password) and not alone.password_file
    return password or alone.queue.holds_password


def _metrics(configuration: Configuration) -> Iterator[Finding]:
    from ...config import ConfigurationError
    from ...metrics.library import check_library

    try:
        check_library(configuration)
    except ConfigurationError as error:
        yield warning(SUBJECT, str(error))


def _privacy(path: Path, secret: bool) -> Finding:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return failed(SUBJECT, f"{path}: {error.strerror}")
    if secret and mode & stat.S_IROTH:
        return failed(
            SUBJECT,
            f"{path} holds a secret that everybody can read: chmod 600 {path}",
        )
    if mode & stat.S_IWOTH:
        return failed(SUBJECT, f"everybody can change {path}: chmod o-w {path}")
    return ok(SUBJECT, f"{path} is valid")
