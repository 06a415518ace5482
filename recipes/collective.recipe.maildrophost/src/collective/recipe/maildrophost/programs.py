"""Writes the programs of a part into bin/."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from zc.buildout import UserError
from zc.recipe.egg import Scripts

from .daemons import Daemon
from .errors import wrong_value
from .sections import OF_ITS_EGGS
from .values import without_comment

MODULE = "collective.maildrophost.engine.cli.part"
EGG = "collective.maildrophost"
ON_EVERY_DAEMON = ("start", "stop", "restart", "status")
_CODE = "initialization"
"""The option for zc.recipe.egg that is Python: what follows a # belongs to it."""


def check(part: str, options: Mapping[str, str]) -> None:
    """UserError for what would only fail an assertion in zc.recipe.egg."""
    relative = for_eggs(options, ["relative-paths"])
    if not {"true", "false"}.issuperset(relative.values()):
        raise wrong_value(part, "relative-paths", "true or false")


def check_names(part: str, others: Iterable[str]) -> None:
    """UserError when a program of `part` would replace one of another part."""
    for other in others:
        both = [name for name in _names(part) if name in _names(other)]
        if both:
            raise UserError(
                f"[{part}] and [{other}] would both write bin/{both[0]}: give one of "
                "the parts another name."
            )


def for_eggs(options: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """Those of the options `names` that a part sets, as zc.recipe.egg takes them."""
    said = {name: options[name] for name in names if name in options}
    values = {
        name: value if name == _CODE else without_comment(value).strip()
        for name, value in said.items()
    }
    return {name: value for name, value in values.items() if value}


def paths(directory: Path, part: str) -> tuple[Path, ...]:
    """The paths of bin/PART, bin/PART-start and the others; `directory` is bin/."""
    return tuple(directory / name for name in _names(part))


def write(
    buildout: Any, part: str, options: Mapping[str, str], daemons: tuple[Daemon, ...]
) -> None:
    """Write bin/PART, bin/PART-start and the others."""
    settings = for_eggs(options, OF_ITS_EGGS)
    settings["eggs"] = "\n".join([EGG, settings.get("eggs", "")])
    bound = f"{part!r}, { {d.name: str(d.configuration) for d in daemons}!r}"
    calls = {part: ("run", bound)}
    for script, command in _on_every_daemon(part).items():
        calls[script] = ("each", f"{bound}, {command!r}")
    for script, (function, arguments) in calls.items():
        own = {
            "entry-points": f"{script}={MODULE}:{function}",
            "scripts": script,  # none of the eggs' own
            "arguments": arguments,
        }
        Scripts(buildout, part, {**settings, **own}).install()


def _names(part: str) -> tuple[str, ...]:
    return part, *_on_every_daemon(part)


def _on_every_daemon(part: str) -> dict[str, str]:
    """The names of the programs beside bin/PART, each with its command."""
    return {f"{part}-{command}": command for command in ON_EVERY_DAEMON}
