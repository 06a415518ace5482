"""The process that has loaded `maildropctl`, and forks for each command.

commands.py starts it, and gives it the commands.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ENGINE = "collective.maildrophost.engine"
IMPATIENT = str(Path(__file__).parent / "engine" / "faults" / "impatient.py")
"""The program with other constants, which are its first argument."""
PID_DIGITS = 10
_LONGEST_REQUEST = 128 * 1024


def _fork_for_each(channel: socket.socket) -> int:
    """Wait for commands; the exit status of the one that this process became."""
    # Nobody waits for the process that waits.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        text, files, _, _ = socket.recv_fds(channel, _LONGEST_REQUEST, 4)
        if not text:
            return 0
        if not os.fork():
            channel.close()
            return _wait_for_fork(json.loads(text), *files)
        for each in files:
            os.close(each)


def _wait_for_fork(command: Mapping[str, object], answering: int, *files: int) -> int:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pid = os.fork()
    if not pid:
        os.close(answering)
        return _run(**command, files=files)
    for each in files:
        os.close(each)
    os.write(answering, str(pid).encode().ljust(PID_DIGITS))
    _, status = os.waitpid(pid, 0)
    os.write(answering, str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _run(
    arguments: Sequence[str],
    environ: Mapping[str, str],
    directory: str,
    seconds: int,
    constants: str,
    files: Sequence[int],
) -> int:
    signal.alarm(seconds)
    if not seconds:
        *unused, err = files
        for each in unused:
            os.close(each)
        files = *(os.open(os.devnull, os.O_RDWR) for _ in unused), err
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    # The old ones remember what kind of file each was.
    sys.stdin, sys.stdout, sys.stderr = (
        os.fdopen(number, mode, closefd=False) for number, mode in enumerate("rww")
    )
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environ)
    if constants:
        runpy.run_path(IMPATIENT)["shorten"](json.loads(constants))
    cli = importlib.import_module(f"{ENGINE}.cli")
    sys.argv = [f"{cli.__path__[0]}/__main__.py", *arguments]
    return cli.main()


def _load() -> None:
    """Import all there is of the program."""
    engine = importlib.import_module(ENGINE)
    for found in pkgutil.walk_packages(engine.__path__, f"{ENGINE}."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)
    gc.freeze()  # Otherwise each fork would copy all that a collection touches.


if __name__ == "__main__":
    del sys.path[0]  # the tests', which the program does not see
    _load()
    sys.exit(_fork_for_each(socket.socket(fileno=int(sys.argv[1]))))
