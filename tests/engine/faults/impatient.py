"""Runs the daemon with shorter times than the real ones, which no test can wait for.

The first argument is JSON: `smtp` has seconds for `Timeouts`, every other name is a
constant of the engine. The rest are the arguments of maildropctl.
"""

from __future__ import annotations

import importlib
import json
import sys
from functools import partial

from collective.maildrophost.engine.cli import main
from collective.maildrophost.engine.smtp import Connection, Timeouts

ENGINE = "collective.maildrophost.engine"


def shorten(times: dict[str, object]) -> None:
    Connection.open = partial(Connection.open, timeouts=Timeouts(**times.pop("smtp")))
    for name, seconds in times.items():
        module_name, _, constant = name.rpartition(".")
        module = importlib.import_module(f"{ENGINE}.{module_name}")
        assert hasattr(module, constant), name
        setattr(module, constant, seconds)


if __name__ == "__main__":
    shorten(json.loads(sys.argv.pop(1)))
    sys.exit(main())
