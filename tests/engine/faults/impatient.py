"""Runs the daemon with shorter times than the real ones, which no test can wait for.

The first argument is JSON: `smtp` has seconds for `Timeouts`, every other name is a
constant of the engine. The rest are the arguments of maildropctl.
"""

from __future__ import annotations

import importlib
import json
import sys

from collective.maildrophost.engine.cli import main
from collective.maildrophost.engine.smtp import Connection, Timeouts

ENGINE = "collective.maildrophost.engine"


def set_constants(constants: dict[str, object], package: str = ENGINE) -> None:
    """Give constants of the source, named by module and name, other values."""
    for name, value in constants.items():
        module_name, _, constant = name.rpartition(".")
        module = importlib.import_module(f"{package}.{module_name}")
        assert hasattr(module, constant), name
        setattr(module, constant, value)


def shorten(times: dict[str, object]) -> None:
    opening, short = Connection.open, Timeouts(**times.pop("smtp"))

    def open_impatiently(*arguments, timeouts=None, **options):
        return opening(*arguments, timeouts=short, **options)

    Connection.open = open_impatiently
    set_constants(times)


if __name__ == "__main__":
    shorten(json.loads(sys.argv.pop(1)))
    sys.exit(main())
