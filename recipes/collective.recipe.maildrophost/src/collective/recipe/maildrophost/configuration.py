"""Writes the configuration file of a daemon."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from collective.recipe.template import Recipe as Template
from zc.buildout.buildout import Options

from .daemons import Daemon
from .options import OPTIONS
from .values import assignment

TEMPLATE = Path(__file__).with_name("daemon.conf.in")


def write(daemon: Daemon) -> str:
    """Write the file, readable by its owner alone; its path.

    It takes its place at once: a daemon or a Zope that reads it meanwhile gets the old
    one or the new one, whole.
    """
    daemon.configuration.parent.mkdir(parents=True, exist_ok=True)
    new = daemon.configuration.with_name(daemon.configuration.name + ".new")
    with _private_files():
        Template(None, daemon.name, _Values(daemon, new)).install()
    os.replace(new, daemon.configuration)
    return str(daemon.configuration)


class _Values(Options):  # type: ignore[misc]
    """What fills the template: no section that buildout would save or print."""

    def __init__(self, daemon: Daemon, output: Path) -> None:
        super().__init__({daemon.name: self}, daemon.name, {})
        self["input"] = str(TEMPLATE)
        self["output"] = str(output)
        self["mode"] = "0600"
        self["daemon"] = daemon.name
        self["section"] = daemon.section
        self["assignments"] = "\n".join(_assignments(daemon))

    def created(self, *paths: str) -> list[str]:
        return list(paths)


def _assignments(daemon: Daemon) -> Iterator[str]:
    for option in OPTIONS:
        if option.name in daemon.values:
            yield assignment(option, daemon.values[option.name])


@contextmanager
def _private_files() -> Iterator[None]:
    """New files are the owner's alone from their first byte on."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)
