"""``bin/instance maildrop …``: maildropctl bound to what zope.conf lists."""

from __future__ import annotations

import shlex
from typing import Any

from .engine.cli import main
from .engine.cli.part import run
from .productconfig import SECTION, in_section

PROGRAM = "bin/instance maildrop"


def maildrop(ctl: Any, arguments: str) -> None:
    """maildrop [KEY] COMMAND -- look after the mail daemons of this instance

    KEY is the key of a configuration in zope.conf, where there are several.
    """
    configurations = in_section(ctl.options.configroot.product_config.get(SECTION, {}))
    argv = _argv(ctl.options.args, arguments)
    if configurations:
        status = run(PROGRAM, configurations, argv)
    else:  # MAILDROP_CONFIG says which
        status = main(argv, prog_name=PROGRAM)
    ctl._exitstatus = status


def _argv(command_line: list[str], typed: str) -> list[str]:
    """The words after "maildrop", split as a shell does it, quotes included."""
    # A shell has split the command line already; cmd has joined it again with blanks.
    if command_line:
        return list(command_line[1:])
    return shlex.split(typed)
