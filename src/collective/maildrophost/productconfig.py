"""The configurations that zope.conf lists, by their keys."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from App.config import getConfiguration

from collective.maildrophost.engine.config import Configuration, load
from collective.maildrophost.engine.errors import MaildropError
from collective.maildrophost.engine.wording import _

SECTION = "maildrophost"
PREFIX = "config-path-"
DEFAULT = "DEFAULT"
ENVIRONMENT = "MAILDROP_CONFIG"

_added: dict[str, str] = {}
"""Those that programs have listed, by key; gone when this process ends."""


class UnknownConfiguration(MaildropError, ValueError):
    """No configuration is listed under the key."""

    def __init__(self, key: Any) -> None:
        super().__init__(
            _(
                "there is no maildrop configuration ${key}; known: ${known}. List it "
                "in zope.conf: <product-config ${section}> ${prefix}1 "
                "/path/to/the.conf </product-config>, or set ${variable}",
                mapping={
                    "key": repr(key),
                    "known": ", ".join(configurations()) or _("none at all"),
                    "section": SECTION,
                    "prefix": PREFIX,
                    "variable": f"${ENVIRONMENT}",
                },
            )
        )


def configurations() -> dict[str, str]:
    """Key with path of every configuration, "DEFAULT" first when there is any."""
    paths = {**_from_zope_conf(), **_added}
    # A program may have listed one under this key; the environment variable wins.
    named = paths.pop(DEFAULT, "")
    default = os.environ.get(ENVIRONMENT) or named or next(iter(paths.values()), "")
    return {DEFAULT: default, **paths} if default else paths


def _from_zope_conf() -> dict[str, str]:
    sections = getattr(getConfiguration(), "product_config", None) or {}
    return in_section(sections.get(SECTION, {}))


def in_section(section: Mapping[str, str]) -> dict[str, str]:
    """Key with path of every configuration in a product-config section."""
    return {
        name.removeprefix(PREFIX): path
        for name, path in section.items()
        if name.startswith(PREFIX)
    }


def add(name: str, path: str | os.PathLike[str]) -> None:
    """List `path` under the key that `name` means until this process ends.

    Raises ValueError for a name that no setting could have.
    """
    key = _without_prefix(name)
    if not key:
        raise ValueError(f"expected a key such as newsletter, got {name!r}")
    _added[key] = os.fspath(path)


def key_of(name: str) -> str:
    """The key that `name` means: itself, or what follows "config-path-" in it.

    Raises UnknownConfiguration, which is a ValueError.
    """
    key, known = _without_prefix(name), configurations()
    # As zope.conf says it, too: ZConfig makes the names in it lower case.
    for spelling in (key, key.lower()):
        if spelling in known:
            return spelling
    raise UnknownConfiguration(name)


def _without_prefix(name: str) -> str:
    return name.removeprefix(PREFIX) if isinstance(name, str) else ""


def configuration(key: str) -> Configuration:
    """The configuration under `key`, as its file is now.

    Raises UnknownConfiguration, or ConfigurationError that names file, line and option.
    """
    path = configurations().get(_without_prefix(key))
    if path is None:
        raise UnknownConfiguration(key)
    return _current(path)


class _Stamp(NamedTuple):
    """What changes when a file is edited or replaced."""

    modified_ns: int
    size: int
    inode: int


_loaded: dict[str, tuple[_Stamp, Configuration]] = {}


def _current(path: str) -> Configuration:
    stamp = _stamp(path)
    known = _loaded.get(path)
    if known is not None and known[0] == stamp:
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
