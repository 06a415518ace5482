"""Has the daemon validate its configuration before anything is written."""

# Buildout does not run with the daemon's eggs: it asks a program that does.

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from zc.buildout import UserError
from zc.recipe.egg import Eggs

from .configuration import text
from .daemons import Daemon
from .options import OPTIONS
from .programs import EGG, for_eggs

_PROGRAM = """\
import sys
sys.path[0:0] = sys.argv[1:]
from collective.maildrophost.engine.config.validation import main
main()
"""
_WHERE_EGGS_ARE = ("find-links", "index")
_NAMES = {option.variable: option.name for option in OPTIONS}


def check(
    buildout: Any, part: str, options: Mapping[str, str], daemons: Sequence[Daemon]
) -> None:
    """UserError when a daemon of the part would refuse its configuration.

    The part's own `eggs` are left out: another part may have to make them first.
    """
    settings = for_eggs(options, _WHERE_EGGS_ARE)
    _, working_set = Eggs(buildout, part, {**settings, "eggs": EGG}).working_set()
    paths = [distribution.location for distribution in working_set]
    for daemon, fault in zip(daemons, _faults(part, paths, daemons), strict=True):
        if fault is not None:
            raise _error(daemon, **fault)


def _faults(part: str, paths: list[str], daemons: Sequence[Daemon]) -> Any:
    """For each daemon the fault that the engine finds (engine/config/validation.py)."""
    program = subprocess.run(
        [sys.executable, "-I", "-c", _PROGRAM, *paths],
        input=json.dumps([text(daemon) for daemon in daemons]),
        capture_output=True,
        text=True,
        check=False,
    )
    if program.returncode != 0:
        reason = (program.stderr.splitlines() or ["it gave no reason"])[-1]
        raise UserError(f"[{part}] {EGG} cannot check the options: {reason}")
    return json.loads(program.stdout)


def _error(daemon: Daemon, option: str | None, expected: str) -> UserError:
    name = _NAMES.get(option or "", "")
    place = f"[{daemon.section_of(name)}] {name}".rstrip()
    return UserError(f"{place}: {_in_words_of_a_buildout(expected)}.")


def _in_words_of_a_buildout(expected: str) -> str:
    return re.sub(
        r"[A-Z]+(?:_[A-Z]+)+", lambda name: _NAMES.get(name[0], name[0]), expected
    )
