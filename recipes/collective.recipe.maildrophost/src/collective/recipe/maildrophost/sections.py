"""Reads the options of one section, by the names of this recipe."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path

from zc.buildout import UserError

from . import infrae
from .errors import unknown_option
from .options import BY_NAME
from .values import in_words_of_the_daemon

OF_ITS_EGGS = (
    "eggs",
    "extra-paths",
    "find-links",
    "index",
    "initialization",
    "relative-paths",
)
"""Options that zc.recipe.egg takes for the programs of a part."""
PART_OPTIONS = frozenset(
    {
        "recipe",
        "daemons",
        *OF_ITS_EGGS,
        infrae.CONFIGURATION_FILE,
        *infrae.WITHOUT_MEANING,
    }
)
"""Options that a part's section may have besides those of its daemons."""

# Buildout keeps notes of its own in a section: <part-dependencies>, __buildout_…
_BUILDOUTS_OWN = ("<", "__buildout_")


def read(
    section: str,
    options: Mapping[str, str],
    start: Path,
    besides: frozenset[str] = frozenset(),
) -> dict[str, str]:
    """The options that a section has for daemons; it may have those `besides`, too."""
    values: dict[str, str] = {}
    for written, name in spellings(options):
        if written in besides:
            _warn_without_meaning(section, written)
            continue
        if name not in BY_NAME:
            raise unknown_option(section, written, {*BY_NAME, *besides})
        value = _value(section, written, name, options[written], start)
        if values.get(name, value) != value:
            raise UserError(f"[{section}] {written}: {name} is set twice.")
        values[name] = value
    return values


def spellings(options: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Every option as it is written, with its name in this recipe."""
    for written in list(options):
        if not written.startswith(_BUILDOUTS_OWN):
            yield written, infrae.in_todays_words(written)


def _value(section: str, written: str, name: str, text: str, start: Path) -> str:
    """The value for the daemon; an empty one stands for the option's default."""
    if not text.strip():
        return ""
    return in_words_of_the_daemon(section, written, BY_NAME[name], text, start)


def _warn_without_meaning(section: str, written: str) -> None:
    if written in infrae.WITHOUT_MEANING:
        logging.getLogger(section).warning(
            "%s has no meaning any more, the line can go.", written
        )
