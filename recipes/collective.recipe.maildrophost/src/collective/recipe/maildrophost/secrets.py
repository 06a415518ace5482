"""Keeps passwords out of .installed.cfg."""

from __future__ import annotations

from collections.abc import MutableMapping
from urllib.parse import urlsplit

from .options import BY_NAME, Kind
from .sections import spellings


def forget(options: MutableMapping[str, str]) -> None:
    """Take the secret options out of a part's section.

    Buildout saves every option that a part has after its recipe was made, in a file
    that anybody may read. A changed password is noticed all the same: an update writes
    the configurations anew.
    """
    for written, name in spellings(options):
        if name in BY_NAME and _is_secret(BY_NAME[name].kind, options[written]):
            del options[written]


def _is_secret(kind: Kind, value: str) -> bool:
    return kind is Kind.SECRET or (kind is Kind.QUEUE and _has_password(value))


def _has_password(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return True
    return parts.password is not None or "password=" in parts.query
