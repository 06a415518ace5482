"""Validates the text of configurations that nobody has written yet, for a buildout."""

# Its recipe lives among the eggs of buildout, without those of the daemon: it runs this
# module with the daemon's, so that there are no rules but the daemon's own.

from __future__ import annotations

import json
import sys
from pathlib import Path

from .errors import ConfigurationError
from .load import checked
from .settings import Settings


def fault(text: str) -> ConfigurationError | None:
    """Why a daemon would refuse a configuration with this `text`; None: it takes it.

    The environment does not count, and the files that it names are not looked at: who
    builds may not be who runs the daemon.
    """
    try:
        checked(Settings(Path(), {}), text)
    except ConfigurationError as error:
        return error
    return None


def main() -> None:
    """A JSON list of texts on standard input to one of faults on standard output.

    A fault is an object with ``option`` and ``expected``, or null. The texts come this
    way, for nobody else to see, because of the passwords in them.
    """
    faults = [fault(text) for text in json.load(sys.stdin)]
    json.dump([_as_json(each) for each in faults], sys.stdout)


def _as_json(error: ConfigurationError | None) -> dict[str, str | None] | None:
    if error is None:
        return None
    return {"option": error.option, "expected": error.expected}
