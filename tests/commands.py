"""`maildropctl` in processes of its own, without loading the program for each anew.

To load it takes most of the time of a command, and the tests run more than a thousand.
A process that has loaded it waits here, and forks for each command.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache

ENGINE = "collective.maildrophost.engine"
PROGRAM = (sys.executable, "-m", f"{ENGINE}.cli")
SECONDS = 60
_READ_AT_START = ("PYTHON", "LANG", "LC_", "LD_", "FAKETIME")
_LONGEST_REQUEST = 128 * 1024


def run(
    *arguments: str | bytes,
    environ: Mapping[str, str],
    stdin: bytes = b"",
    program: Sequence[str] = PROGRAM,
) -> subprocess.CompletedProcess[bytes]:
    """`maildropctl ARGUMENTS` with its output, however it ends, within `SECONDS`.

    Another `program` than the usual one is started as it stands.
    """
    alike = _read_at_start(environ) == _read_at_start(os.environ)
    if program != PROGRAM or not alike:
        return subprocess.run(
            [*program, *arguments],
            input=stdin,
            capture_output=True,
            env=environ,
            timeout=SECONDS,
            check=False,
        )
    command = {
        "arguments": [os.fsdecode(each) for each in arguments],
        "environ": dict(environ),
        "directory": os.getcwd(),
    }
    feeding, answer, out, err = _loaded().begin(json.dumps(command).encode())
    with ThreadPoolExecutor(3) as threads:
        threads.submit(_feed, feeding, stdin)
        texts = [threads.submit(_read, each) for each in (out, err)]
        status = int(_read(answer))
        return subprocess.CompletedProcess(
            arguments, status, *(text.result() for text in texts)
        )


def _read_at_start(environ: Mapping[str, str]) -> dict[str, str]:
    """What a new interpreter would look at; one that has started does not."""
    return {
        name: value
        for name, value in environ.items()
        if name.startswith(_READ_AT_START)
    }


def _feed(file: int, text: bytes) -> None:
    with contextlib.suppress(BrokenPipeError), open(file, "wb") as pipe:
        pipe.write(text)


def _read(file: int) -> bytes:
    with open(file, "rb") as pipe:
        return pipe.read()


class _Loaded:
    """The process that forks; it ends with this one, which closes its socket."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, __file__, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )

    def begin(self, command: bytes) -> Sequence[int]:
        """The ends of pipes for its input, its exit status, its output, its errors."""
        reading, feeding = os.pipe()
        answer, answering = os.pipe()
        out, outs = os.pipe()
        err, errs = os.pipe()
        theirs = answering, reading, outs, errs
        try:
            with self._lock:
                socket.send_fds(self._channel, [command], theirs)
        finally:
            for each in theirs:
                os.close(each)
        return feeding, answer, out, err


@cache
def _loaded() -> _Loaded:
    return _Loaded()


def _fork_for_each(channel: socket.socket) -> int:
    """Wait for commands; the exit status of the one that this process became."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # Nobody waits for who waits.
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
    _, status = os.waitpid(pid, 0)
    os.write(answering, str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _run(
    arguments: Sequence[str],
    environ: Mapping[str, str],
    directory: str,
    files: Sequence[int],
) -> int:
    signal.alarm(SECONDS)
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
    cli = importlib.import_module(f"{ENGINE}.cli")
    sys.argv = [f"{cli.__path__[0]}/__main__.py", *arguments]
    return cli.main()


def _load() -> None:
    """Import all there is of the program."""
    engine = importlib.import_module(ENGINE)
    for found in pkgutil.walk_packages(engine.__path__, f"{ENGINE}."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)
    gc.freeze()  # Else each fork would copy all that a collection touches.


if __name__ == "__main__":
    del sys.path[0]  # the tests', which the program does not see
    _load()
    sys.exit(_fork_for_each(socket.socket(fileno=int(sys.argv[1]))))
