"""The programs that a buildout part generates: `maildropctl` bound to its daemons."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from difflib import get_close_matches
from functools import partial
from io import StringIO

from . import exits
from .output import print_json, tell
from .program import Stopped, attempt, main

HELP = ("-h", "--help")


def run(
    program: str, configurations: Mapping[str, str], argv: Sequence[str] | None = None
) -> int:
    """``PROGRAM COMMAND``, or ``PROGRAM DAEMON COMMAND`` where there are several.

    `configurations` maps the name of each daemon to its configuration file.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if len(configurations) == 1:
        (path,) = configurations.values()
        return main(arguments, config=path, prog_name=program)
    if not arguments or arguments[0] in HELP:
        return _usage(program, configurations, asked=bool(arguments))
    name, *command = arguments
    if name not in configurations:
        return _unknown(program, configurations, name)
    return main(command, config=configurations[name], prog_name=f"{program} {name}")


def each(
    program: str,
    configurations: Mapping[str, str],
    command: str,
    argv: Sequence[str] | None = None,
) -> int:
    """``PROGRAM-COMMAND [DAEMON…]``: `command` for every daemon, or for the named ones.

    Each gets its turn, whatever becomes of the others, unless a person stops it all;
    the exit status is the worst of theirs. For several daemons, ``--json`` still prints
    one document and ``--help`` one help.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    names = [argument for argument in arguments if not argument.startswith("-")]
    options = [argument for argument in arguments if argument.startswith("-")]
    for name in names:
        if name not in configurations:
            return _unknown(f"{program}-{command}", configurations, name)
    turns = {
        name: partial(_turn, program, configurations, name, [command, *options])
        for name in names or configurations
    }
    try:
        if len(turns) > 1 and not set(options).isdisjoint(HELP):
            return _help(f"{program}-{command}", turns)
        if len(turns) > 1 and set(options) == {"--json"}:
            return _one_document(turns)
        return _worst(turns)
    except Stopped:
        return exits.FAILED


def _turn(
    program: str, configurations: Mapping[str, str], name: str, command: Sequence[str]
) -> int:
    bound = program if len(configurations) == 1 else f"{program} {name}"
    return attempt(command, configurations[name], bound)


def _help(program: str, turns: Mapping[str, Callable[[], int]]) -> int:
    """Print what the command does for one of the daemons."""
    print(
        f"Usage: {program} [DAEMON]... [OPTION]...\n"
        f"Daemons: {', '.join(turns)}\n"
        "For each of them:\n",
        flush=True,
    )
    return next(iter(turns.values()))()


def _worst(turns: Mapping[str, Callable[[], int]]) -> int:
    """Give each its turn; what several say stands below their names."""
    statuses = []
    for name, turn in turns.items():
        if len(turns) > 1:
            tell(f"{name}:")
        statuses.append(turn())
    return max(statuses)


def _one_document(turns: Mapping[str, Callable[[], int]]) -> int:
    """Print an object with what each daemon answered, null for one that failed."""
    statuses, answers = [], {}
    for name, turn in turns.items():
        with redirect_stdout(StringIO()) as answer:
            statuses.append(turn())
        answers[name] = json.loads(answer.getvalue() or "null")
    if any(answers.values()):
        print_json(answers)
    return max(statuses)


def _usage(program: str, configurations: Mapping[str, str], *, asked: bool) -> int:
    print(
        f"Usage: {program} DAEMON COMMAND [ARGUMENT]...\n"
        f"Daemons: {', '.join(configurations)}\n"
        f"Commands: {program} {next(iter(configurations))} --help",
        file=sys.stdout if asked else sys.stderr,
    )
    return exits.DONE if asked else exits.USAGE


def _unknown(program: str, configurations: Mapping[str, str], name: str) -> int:
    near = get_close_matches(name, configurations, n=1)
    guess = f"did you mean {near[0]}? " if near else ""
    print(
        f"{program}: there is no daemon {name!r}; {guess}"
        f"Daemons: {', '.join(configurations)}",
        file=sys.stderr,
    )
    return exits.USAGE
