"""Refuses two daemons that would take each other's mail, files or port."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from zc.buildout import UserError

from . import infrae
from .daemons import Daemon


def check(daemons: Iterable[Daemon], others: Iterable[Daemon]) -> None:
    """UserError when one of `daemons` shares something with the rest or with `others`.

    What counts is where a daemon works in the end: by its options or by default, behind
    symbolic links.
    """
    seen = list(others)
    for daemon in daemons:
        for other in seen:
            _check_pair(other, daemon)
        seen.append(daemon)


def _check_pair(first: Daemon, second: Daemon) -> None:
    taken = set(_places(first))
    for option, place in _places(second):
        if (option, place) in taken:
            # Name the section that sets it, not the one that has it by default.
            says = [daemon for daemon in (second, first) if option in daemon.said]
            section = (says or [second])[0].section_of(option)
            raise UserError(
                f"[{section}] {option}: {_together(first, second)} cannot share "
                f"{place}. Give each its own {option} in its section, or leave it out."
            )


def _places(daemon: Daemon) -> Iterator[tuple[str, str]]:
    for option, paths in (
        (infrae.CONFIGURATION_FILE, (daemon.configuration,)),
        ("home", (daemon.home,)),
        ("spool", daemon.spools),
        ("var", (daemon.var,)),
        ("pid-file", (daemon.pid_file,)),
        ("log-file", (daemon.log_file,)),
        ("queue", daemon.queue_files),
    ):
        for path in paths:
            yield option, os.path.realpath(path)
    for address in daemon.metrics:
        yield "metrics", address


def _together(first: Daemon, second: Daemon) -> str:
    if first.part == second.part:
        return f"{first.name} and {second.name}"
    return f"{_in_full(first)} and {_in_full(second)}"


def _in_full(daemon: Daemon) -> str:
    is_alone = daemon.name == daemon.part
    return daemon.name if is_alone else f"{daemon.name} of [{daemon.part}]"
