"""Writes the configuration file of a daemon."""

from __future__ import annotations

from . import templates
from .daemons import Daemon
from .options import OPTIONS
from .values import assignment
from .ways import make_way


def write(daemon: Daemon) -> None:
    """Write the file, readable by the daemon's user alone."""
    values = {
        "daemon": daemon.name,
        "section": daemon.section,
        "assignments": text(daemon),
    }
    make_way(daemon.configuration, daemon.owner)
    templates.fill("daemon.conf.in", values, daemon.configuration, daemon.owner)


def text(daemon: Daemon) -> str:
    """The lines of the file, without its comments."""
    return "\n".join(
        assignment(option, daemon.values[option.name])
        for option in OPTIONS
        if option.name in daemon.values
    )
