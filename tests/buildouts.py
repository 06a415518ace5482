"""Buildout in processes of its own, without loading it for each anew.

To load it takes half the time of a run, and the tests have more than a hundred. A
process that has loaded it, and no recipe, waits here and forks for each.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

BUILDOUT = Path(sys.executable).with_name("buildout")


def run(
    *arguments: str, folder: Path, environ: Mapping[str, str], seconds: int
) -> subprocess.CompletedProcess[str]:
    """`buildout ARGUMENTS` in `folder` with its output, killed after `seconds`."""
    os.umask(umask := os.umask(0))
    with TemporaryDirectory() as directory:
        out, err = (Path(directory) / name for name in ("out", "err"))
        command = {
            "arguments": arguments,
            "folder": str(folder),
            "environ": dict(environ),
            "umask": umask,
            "seconds": seconds,
            "files": [str(out), str(err)],
        }
        waiting = _loaded(_read_at_start(environ))
        waiting.stdin.write(f"{json.dumps(command)}\n")
        waiting.stdin.flush()
        status = int(waiting.stdout.readline())
        if status == -signal.SIGALRM:
            raise subprocess.TimeoutExpired(arguments, seconds)
        return subprocess.CompletedProcess(
            [str(BUILDOUT), *arguments], status, out.read_text(), err.read_text()
        )


def _read_at_start(environ: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """What Python and buildout look at before they know what to do."""
    names = ("HOME", "LANG", "LC_", "LD_", "SETUPTOOLS_", "XDG_", "buildout_")
    return tuple(each for each in sorted(environ.items()) if each[0].startswith(names))


@cache
def _loaded(environ: tuple[tuple[str, str], ...]) -> subprocess.Popen[str]:
    """The process that forks; it ends with this one, which closes its input."""
    return subprocess.Popen(
        [sys.executable, __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=dict(environ),
    )


def _fork_for_each() -> None:
    """Tell of each command that comes in how it ended; return in its own process."""
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            return _run(**json.loads(line))
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _run(
    arguments: list[str],
    folder: str,
    environ: dict[str, str],
    umask: int,
    seconds: int,
    files: list[str],
) -> None:
    signal.alarm(seconds)
    for number, path in enumerate([os.devnull, *files]):
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.dup2(file, number)
        os.close(file)
    os.umask(umask)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    sys.argv = [str(BUILDOUT), *arguments]
    runpy.run_path(str(BUILDOUT), run_name="__main__")


if __name__ == "__main__":
    # What the program itself finds there.
    sys.path[0] = str(BUILDOUT.parent)
    runpy.run_path(str(BUILDOUT), run_name="loaded")
    _fork_for_each()
