"""Validates the text of a configuration before it is written, for recipe and `init`."""

# The recipe runs with the eggs of buildout, not with the daemon's: it has this module
# run with those, so that there are no rules but the daemon's own.

from __future__ import annotations

import json
import sys
from pathlib import Path

from .errors import ConfigurationError
from .load import checked
from .settings import Settings


def fault(text: str) -> ConfigurationError | None:
    """Why a daemon would refuse a configuration with this `text`, None if it would not.

    The environment does not count, and the files that the text names are not looked at:
    the daemon may be run by another user.
    """
    try:
        checked(Settings(Path(), {}), text)
    except ConfigurationError as error:
        return error
    return None


def main() -> None:
    """Read a JSON list of texts from standard input, print the list of their faults.

    A fault is an object with ``option`` and ``expected``, or null. The texts may have
    passwords in them: everybody could see those in a command line.
    """
    faults = [fault(text) for text in json.load(sys.stdin)]
    json.dump([_as_json(error) for error in faults], sys.stdout)


def _as_json(error: ConfigurationError | None) -> dict[str, str | None] | None:
    if error is None:
        return None
    return {"option": error.option, "expected": error.expected}
