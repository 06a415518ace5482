"""The real program on a configuration of its own."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import commands
import pytest
from commands import PROGRAM, environment
from waiting import PATIENCE_SECONDS

from collective.maildrophost.engine.cli import main
from collective.maildrophost.engine.config import Configuration, load
from collective.maildrophost.engine.message import compose
from collective.maildrophost.engine.queue import (
    Queue,
    new_batch,
    open_queue,
    prepare,
)

LONG_AGO = 1_700_000_000.0


def pid_of(text: str) -> int:
    """The first process that a command names."""
    return int(re.search(r"pid (\d+)", text).group(1))


def manager_of(site) -> int:
    """The pid of zdaemon, which is the daemon's parent."""
    pid = pid_of(site.ctl("status").out)
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"PPid:\s+(\d+)", status).group(1))


@dataclass(frozen=True)
class Ended:
    """A command that has ended; its output as text."""

    status: int
    out: str
    err: str
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def run(*arguments: str, stdin: bytes = b"", **environ: str) -> Ended:
    """`maildropctl ARGUMENTS`, run to its end."""
    ended = commands.run(*arguments, stdin=stdin, environ=environment(**environ))
    out, err = (text.decode(errors="replace") for text in (ended.stdout, ended.stderr))
    return Ended(ended.returncode, out, err, ended.stdout)


class Going:
    """A command that goes on; its lines are never waited for without end."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.pid = process.pid
        self._lines: SimpleQueue[str] = SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        with suppress(ValueError):  # closed by the test
            for line in self.process.stdout:
                self._lines.put(line)
        self._lines.put("")

    def line(self) -> str:
        """The next line, "" at the end of the output."""
        return self._lines.get(timeout=PATIENCE_SECONDS)

    def lines(self) -> Iterator[str]:
        """The lines to come, up to the end of the output."""
        return iter(self.line, "")

    def interrupt(self) -> int:
        """Ctrl-C; the exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE_SECONDS)


class Site:
    """A configuration in a directory of its own, with the program bound to it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.path = home / "maildrop.conf"
        self.configure()

    def configure(self, **options: object) -> None:
        """Write the configuration; a relay that refuses unless told otherwise."""
        options = {
            "MAILDROP_HOME": self.home,
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": 1,
            "MAILDROP_INTERVAL": 0.2,
            "MAILDROP_STOP_TIMEOUT": 5,
            **options,
        }
        lines = [f"{name}='{value}'\n" for name, value in options.items()]
        self.path.write_text("".join(lines))
        self.path.chmod(0o600)

    @property
    def configuration(self) -> Configuration:
        return load(self.path, {})

    def ctl(self, *arguments: str, stdin: bytes = b"", **environ: str) -> Ended:
        return run("--config", str(self.path), *arguments, stdin=stdin, **environ)

    def ctl_without_input(self, *arguments: str) -> Ended:
        """Run with a standard input that is closed."""
        command = shlex.join([*PROGRAM, "--config", str(self.path), *arguments])
        ended = subprocess.run(
            ["sh", "-c", f"{command} <&-"],
            env=environment(),
            capture_output=True,
            check=False,
        )
        out, err = ended.stdout.decode(), ended.stderr.decode()
        return Ended(ended.returncode, out, err, ended.stdout)

    def send(self, *arguments: str, subject: str = "hello") -> str:
        """The id of a message that was sent with the program."""
        arguments = arguments or ("-f", "a@example.org", "b@example.org")
        message = f"Subject: {subject}\n\nbody\n".encode()
        ended = self.ctl("send", *arguments, stdin=message)
        assert ended.status == 0, ended.err
        return ended.out.strip()

    @contextmanager
    def queue(self) -> Iterator[Queue]:
        queue = open_queue(self.configuration.queue)
        try:
            yield queue
        finally:
            queue.close()

    def prepare(self, *subjects: str, now: float = LONG_AGO) -> tuple[str, ...]:
        """The ids of messages whose transaction is cut off."""
        messages = [
            compose(f"Subject: {subject}\n\n", "a@x.org", ["b@x.org"], now=now)
            for subject in subjects
        ]
        with self.queue() as queue, queue.write() as tx:
            return prepare(tx, new_batch(), messages, now)

    @contextmanager
    def background(self, *arguments: str) -> Iterator[Going]:
        """A command that goes on, killed at the end if it still does."""
        process = subprocess.Popen(
            [*PROGRAM, "--config", str(self.path), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment(PYTHONUNBUFFERED="1"),
        )
        try:
            yield Going(process)
        finally:
            process.kill()
            process.wait()

    def state_of(self, id: str) -> str:
        return self.ctl("show", id, "--json").json["state"]


@pytest.fixture
def program() -> Callable[..., Ended]:
    """`maildropctl` without any configuration."""
    return run


@pytest.fixture
def inside(monkeypatch, capsys) -> Callable[..., Ended]:
    """`maildropctl` within this process, for what is tried with every command."""
    for name in {*os.environ} - {*environment()}:
        monkeypatch.delenv(name)

    def run_inside(*arguments: str) -> Ended:
        status = main(arguments)
        said = capsys.readouterr()
        return Ended(status, said.out, said.err, said.out.encode())

    return run_inside


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    if (tmp_path / "var").is_dir():
        site.configure()
        site.ctl("stop")


@pytest.fixture
def started(site) -> Site:
    """A site whose daemon was started in the background."""
    ended = site.ctl("start")
    assert ended.status == 0, ended.err
    return site
