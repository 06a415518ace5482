"""`maildropctl` in processes of its own, without loading the program anew for each.

Loading it takes most of the time of a command, and of the start of a daemon; the tests
run more than a thousand. A process that has loaded it waits, and forks for each.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import forking
from forking import ENGINE, IMPATIENT, PID_DIGITS

PROGRAM = (sys.executable, "-m", f"{ENGINE}.cli")
SECONDS = 120
"""Twice the patience of a test: a command may wait for a daemon as long."""
OURS = ("MAILDROP", "SMTP_", "DEBUG", "WAIT_INTERVAL", "ADD_MESSAGEID", "COLUMNS")
"""The variables that the program heeds: their names begin so."""
_READ_AT_START = ("PYTHON", "LANG", "LC_", "LD_", "GLIBC_", "FAKETIME")


def environment(*unwanted: str, **changes: str) -> dict[str, str]:
    """What the program finds around it: nothing of ours, and none of the `unwanted`."""
    kept = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith((*OURS, *unwanted))
    }
    return {**kept, **changes}


def run(
    *arguments: str | bytes,
    environ: Mapping[str, str],
    stdin: bytes = b"",
    program: Sequence[str] = PROGRAM,
) -> subprocess.CompletedProcess[bytes]:
    """`maildropctl ARGUMENTS` with its output, however it ends, within `SECONDS`.

    Another `program` than the usual one is started as it stands.
    """
    if not _is_loaded(program, environ):
        return subprocess.run(
            [*program, *arguments],
            input=stdin,
            capture_output=True,
            env=environ,
            timeout=SECONDS,
            check=False,
        )
    _, feeding, answer, out, err = _begin(arguments, environ, SECONDS, program)
    with ThreadPoolExecutor(3) as threads:
        threads.submit(_feed, feeding, stdin)
        texts = [threads.submit(_read, each) for each in (out, err)]
        status = int(_read(answer))
        return subprocess.CompletedProcess(
            arguments, status, *(text.result() for text in texts)
        )


class Lasting:
    """A command that goes on until it is told to end, in the manner of Popen.

    Its standard input is empty, and nobody reads its output but its errors.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        environ: Mapping[str, str],
        program: Sequence[str],
    ) -> None:
        self.args = [*program, *arguments]
        begun = _begin(arguments, environ, 0, program)
        self.pid, feeding, answer, out, err = begun
        self.returncode: int | None = None
        for each in feeding, out:
            os.close(each)
        self._answer, self._err = (os.fdopen(each, "rb", 0) for each in (answer, err))

    def __enter__(self) -> Lasting:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.wait()

    def poll(self) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            if not select.select([self._answer], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            self.returncode = int(self._answer.read())
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[None, bytes]:
        """Nothing, and its errors once nobody can write more of them."""
        until = None if timeout is None else time.monotonic() + timeout
        errors = b""
        while not self._err.closed:
            left = None if until is None else max(0.0, until - time.monotonic())
            if not select.select([self._err], [], [], left)[0]:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            part = self._err.read(65536)
            errors += part
            if not part:
                self._err.close()
        self.wait(timeout)
        return None, errors

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            # It may have ended already, though its exit status has not come yet.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def start(
    *arguments: str, environ: Mapping[str, str], program: Sequence[str] = PROGRAM
) -> subprocess.Popen[bytes] | Lasting:
    """`maildropctl ARGUMENTS`, which goes on; another `program` as it stands."""
    if _is_loaded(program, environ):
        return Lasting(arguments, environ, program)
    return subprocess.Popen(
        [*program, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environ,
    )


def _is_loaded(program: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Whether it begins as the process does that waits here."""
    alike = _read_at_start(environ) == _read_at_start(os.environ)
    return alike and (program == PROGRAM or program[1:2] == (IMPATIENT,))


def _begin(
    arguments: Sequence[str | bytes],
    environ: Mapping[str, str],
    seconds: int,
    program: Sequence[str],
) -> tuple[int, int, int, int, int]:
    """Its PID, the ends of pipes for its input, its exit status, output and errors."""
    command = {
        "arguments": [os.fsdecode(each) for each in arguments],
        "environ": dict(environ),
        "directory": os.getcwd(),
        "seconds": seconds,
        "constants": "" if program == PROGRAM else program[2],
    }
    feeding, answer, out, err = _loaded().begin(json.dumps(command).encode())
    pid = int(os.read(answer, PID_DIGITS))
    return pid, feeding, answer, out, err


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
                [sys.executable, forking.__file__, str(theirs.fileno())],
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
