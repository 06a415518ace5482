"""Has a child process import its modules from where this program does."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Mapping


def interpreter_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """`environ` for a Python that imports from where this one does.

    A script of buildout puts its eggs on sys.path itself, and a plain interpreter knows
    nothing of them. PYTHONSAFEPATH keeps the child's working directory out of its path
    (Python 3.11 and later: before, that must hold no modules).
    """
    paths = os.pathsep.join(_own_paths())
    return {**environ, "PYTHONPATH": paths, "PYTHONSAFEPATH": "1"}


def _own_paths() -> list[str]:
    standard = {
        sysconfig.get_path("stdlib"),
        sysconfig.get_path("platstdlib"),
        sysconfig.get_config_var("DESTSHARED"),
        _implicit_path(),
        "",
    }
    return [
        path
        for path in sys.path
        if path not in standard and not path.endswith(".zip") and os.path.exists(path)
    ]


def _implicit_path() -> str:
    """What the interpreter itself put first: the working directory, or the script's.

    A child must not import from there.
    """
    main = sys.modules["__main__"]
    if getattr(main, "__spec__", None) is not None:  # python -m
        return os.getcwd()
    return os.path.dirname(os.path.realpath(sys.argv[0]))
