"""The words for a wrong option: which, in which section, what would be right."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from zc.buildout import UserError


def wrong_value(section: str, name: str, expected: str) -> UserError:
    """The value of an option is wrong. The value is not repeated: it may be secret."""
    return UserError(f"[{section}] {name}: expected {expected}.")


def unknown_option(section: str, name: str, known: Iterable[str]) -> UserError:
    """There is no option `name`; names the nearest of the `known`, and all of them."""
    names = sorted(known)
    # The configuration file's own name for an option has a prefix, which would count
    # for more than the name after it.
    written = name.lower().replace("_", "-").removeprefix("maildrop-")
    near = get_close_matches(written, names, n=1, cutoff=0.5)
    guess = f"did you mean {near[0]}? " if near else ""
    return UserError(
        f"[{section}] {name}: there is no such option; {guess}"
        f"Known options: {', '.join(names)}."
    )
