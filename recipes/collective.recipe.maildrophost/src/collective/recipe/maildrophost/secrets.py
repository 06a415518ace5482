"""Keeps passwords out of .installed.cfg."""

from __future__ import annotations

import re
from collections.abc import MutableMapping

from .options import BY_NAME, Kind
from .sections import spellings

# All other URLs are forgotten: a password may hold any character, a parameter may be a
# password, and a comment after a # may be yesterday's URL.
_WITHOUT_PASSWORD = (
    re.compile("sqlite:///[^#]*"),
    re.compile(
        r"postgresql\+psycopg://(?:[^:/?#@]*@)?(?:\[[^]/?#@]*\]|[^][:/?#@]*)"
        r"(?::[0-9]+)?(?:/[^?#@]*)?"
    ),
)


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
    return kind is Kind.SECRET or (kind is Kind.QUEUE and _may_hold_password(value))


def _may_hold_password(url: str) -> bool:
    return not any(known.fullmatch(url) for known in _WITHOUT_PASSWORD)
