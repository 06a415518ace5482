"""The configurations that zope.conf lists, by their keys."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from App.config import getConfiguration

from collective.maildrophost.engine.config import Configuration, load
from collective.maildrophost.engine.errors import MaildropError

SECTION = "maildrophost"
PREFIX = "config-path-"
DEFAULT = "DEFAULT"
ENVIRONMENT = "MAILDROP_CONFIG"

_added: dict[str, str] = {}
"""Listed by programs; gone when this process ends."""


class UnknownConfiguration(MaildropError, ValueError):
    """No configuration is listed under the key."""

    def __init__(self, key: Any) -> None:
        known = ", ".join(configurations()) or "none at all"
        super().__init__(
            f"there is no maildrop configuration {key!r}; known: {known}. "
            f"List it in zope.conf: <product-config {SECTION}> "
            f"{PREFIX}1 /path/to/the.conf </product-config>, or set ${ENVIRONMENT}"
        )


def configurations() -> dict[str, str]:
    """Key with path of every configuration, "DEFAULT" first when there is any."""
    listed = {**_from_zope_conf(), **_added}
    default = os.environ.get(ENVIRONMENT) or next(iter(listed.values()), "")
    return {DEFAULT: default, **listed} if default else listed


def _from_zope_conf() -> dict[str, str]:
    sections = getattr(getConfiguration(), "product_config", None) or {}
    return listed(sections.get(SECTION, {}))


def listed(section: Mapping[str, str]) -> dict[str, str]:
    """Key with path of every configuration in a product-config section."""
    return {
        key.removeprefix(PREFIX): path
        for key, path in section.items()
        if key.startswith(PREFIX)
    }


def add(key: str, path: str) -> None:
    """List `path` under `key` until this process ends."""
    _added[key] = path


def listed_key(key: str) -> str:
    """`key` as it is listed, zope.conf's full name accepted, too.

    Raises UnknownConfiguration, which is a ValueError.
    """
    return _listed(key)[0]


def _listed(key: str) -> tuple[str, str]:
    """Its key as it is listed, and its path."""
    short = key.removeprefix(PREFIX) if isinstance(key, str) else ""
    path = configurations().get(short)
    if path is None:
        raise UnknownConfiguration(key)
    return short, path


def configuration(key: str) -> Configuration:
    """The configuration under `key`, as its file is now.

    Raises UnknownConfiguration, or ConfigurationError that names file, line and option.
    """
    return _current(_listed(key)[1])


class _Stamp(NamedTuple):
    """What changes when a file is edited or replaced."""

    modified_ns: int
    size: int
    inode: int


_loaded: dict[str, tuple[_Stamp, Configuration]] = {}


def _current(path: str) -> Configuration:
    stamp = _stamp(path)
    known = _loaded.get(path)
    if stamp is not None and known is not None and known[0] == stamp:
        return known[1]
    # The stamp was taken first: a change during the load is noticed the next time.
    configuration = load(path)
    if stamp is not None:
        _loaded[path] = (stamp, configuration)
    return configuration


def _stamp(path: str) -> _Stamp | None:
    try:
        status = os.stat(path)  # a Path costs more, and every mail pays
    except OSError:
        return None
    return _Stamp(status.st_mtime_ns, status.st_size, status.st_ino)
