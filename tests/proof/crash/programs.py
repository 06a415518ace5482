"""What is done in the engine without a command of its own: run, and killed."""

from __future__ import annotations

from collective.maildrophost.engine.config import Secret
from collective.maildrophost.engine.queue import open_queue
from collective.maildrophost.engine.tokens.files import RefreshTokenFile


def open_and_close(url: str) -> None:
    """As the first program does at a new queue, or at one of an older version."""
    open_queue(url).close()


def replace_refresh_token(path: str, given: str) -> None:
    """As the daemon when the provider has replaced the token that it was shown."""
    tokens = RefreshTokenFile(path)
    tokens.replace(tokens.read(), Secret(given))
