"""A process that has everything imported, and forks the programs under test.

Each is a process of its own, as the real one is, without the second that it takes to
start an interpreter. One order a line on standard input, as JSON; for each two lines of
answer: the process's id, and once nothing of it runs any more its status.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import importlib.util
import json
import os
import signal
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

from engine.faults.impatient import set_constants
from proof.crash.killing import Plan, install
from proof.crash.steps import durable_steps

PR_SET_CHILD_SUBREAPER = 36
PRELOADED = (
    "collective.maildrophost.engine.cli.program",
    "collective.maildrophost.engine.daemon.process",
    "collective.maildrophost.engine.takeover",
    "collective.maildrophost.engine.tokens.files",
    "proof.crash.programs",
)
ZOPE = ("proof.crash.pages",)
"""Where there is Zope."""


def serve() -> None:
    """Fork what is asked for, one at a time, until standard input ends."""
    # The child of a daemon that dies becomes ours, so that its end can be waited for.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    zope = ZOPE if importlib.util.find_spec("AccessControl") else ()
    for name in PRELOADED + zope:
        importlib.import_module(name)
    durable_steps()
    # Else each child would copy all that a collection touches.
    gc.freeze()
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _live(order)
        _say(pid)
        _say(_last_status(pid))


def _say(number: int) -> None:
    print(number, flush=True)


def _last_status(first: int) -> int:
    """The status of `first`, once it and all its descendants have ended."""
    status = 0
    with suppress(ChildProcessError):
        while True:
            pid, found = os.wait()
            if pid == first:
                status = os.waitstatus_to_exitcode(found)
    return status


def _live(order: dict[str, Any]) -> None:
    """The whole life of a program: killed somewhere, or ended with its status."""
    status = 70
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        home = Path(order["home"])
        output = os.open(home / "output", os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        given = home / "input"
        given = os.open(given if given.exists() else os.devnull, os.O_RDONLY)
        for number, descriptor in enumerate((given, output, output)):
            os.dup2(descriptor, number)
        os.environ.update(order["environ"])
        # Nobody can wait for the real ones.
        set_constants(order["constants"], "collective.maildrophost")
        if order["plan"]:
            install(Plan(**order["plan"]), home / "died")
        module, _, function = order["run"].partition(":")
        main = getattr(importlib.import_module(module), function)
        status = main(*order["arguments"]) or 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(status)


if __name__ == "__main__":
    serve()
