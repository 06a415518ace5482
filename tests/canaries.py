"""Secrets that are looked for in all that a daemon and its commands leave behind."""

from __future__ import annotations

import base64
import io
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import commands
from commands import PROGRAM, environment
from waiting import PATIENCE_SECONDS, wait_until

from collective.maildrophost.engine.cli import main

USER = "site@example.org"
PASSWORD = "c4nary-Pass/w%rd+7Qz=="
CLIENT_SECRET = "c4nary-Client~secr/t.8Wy"
REFRESH_TOKEN = "1//c4nary-Refresh_token-9Xx"
ACCESS_TOKEN = "c4nary.Access-token_AbCdEfGhIjKlMnOpQrStUvWxYz"
CANARIES = {
    "PASSWORD": PASSWORD,
    "CLIENT_SECRET": CLIENT_SECRET,
    "REFRESH_TOKEN": REFRESH_TOKEN,
    "ACCESS_TOKEN": ACCESS_TOKEN,
}


def encoded(text: str) -> str:
    """In base64."""
    return base64.b64encode(text.encode()).decode()


def forms(secret: str) -> set[bytes]:
    """How it might be written; `core` is what of its base64 no neighbour changes."""
    core = slice(4, -4)
    written = {
        secret,
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        encoded(secret),
        base64.urlsafe_b64encode(secret.encode()).decode(),
        encoded(f"\0{USER}\0{secret}"),
        *(encoded("x" * offset + secret)[core] for offset in range(3)),
    }
    return {each.encode() for each in written}


def found_in(data: bytes) -> list[str]:
    """The names of the canaries in `data`."""
    return [
        name
        for name, secret in CANARIES.items()
        if any(form in data for form in forms(secret))
    ]


class Stage:
    """A configuration whose every output is kept and searched.

    `said` is what it said, and where; `given` are the files that a secret is
    given in; `started` is whether there may be a daemon to stop. `capsys` and
    `monkeypatch` are those of the test.
    """

    def __init__(self, home: Path, capsys: Any, monkeypatch: Any) -> None:
        self.home = home
        self.path = home / "maildrop.conf"
        self.said: list[tuple[str, bytes]] = []
        self.given: set[Path] = {self.path}
        self.started = False
        self._capsys = capsys
        self._monkeypatch = monkeypatch
        for name in {*os.environ} - {*environment()}:
            monkeypatch.delenv(name)

    def secret(self, name: str, text: str) -> Path:
        """A file that a secret is given in."""
        path = self.home / name
        path.write_text(f"{text}\n")
        path.chmod(0o600)
        self.given.add(path)
        return path

    def configure(self, *lines: str, **options: object) -> None:
        """Write the configuration; `lines` follow as they are."""
        options = {
            "MAILDROP_HOME": self.home,
            "SMTP_HOST": "127.0.0.1",
            "MAILDROP_INTERVAL": 3600,
            "MAILDROP_RETRY_MIN": 0.2,
            "MAILDROP_STOP_TIMEOUT": 5,
            **options,
        }
        written = [f"{name}='{value}'" for name, value in options.items()]
        self.path.write_text("\n".join([*written, *lines]) + "\n")
        self.path.chmod(0o600)

    def ctl(self, *arguments: str, stdin: bytes = b"") -> int:
        """Run a command in this process; its exit status."""
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        status = main(self._bound(arguments))
        said = self._capsys.readouterr()
        self.said.append((" ".join(arguments), (said.out + said.err).encode()))
        return status

    def run(self, *arguments: str, program: str = "", **environ: str) -> int:
        """Run a command in a process of its own, or the text of a `program`."""
        python = (sys.executable, "-c", program) if program else PROGRAM
        ended = commands.run(
            *self._bound(arguments), environ=environment(**environ), program=python
        )
        self.said.append((" ".join(arguments), ended.stdout + ended.stderr))
        return ended.returncode

    @contextmanager
    def running(self, **environ: str) -> Iterator[subprocess.Popen[bytes]]:
        """The daemon in the foreground, stopped at the end."""
        process = subprocess.Popen(
            [*PROGRAM, *self._bound(("run",))],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment(**environ),
        )
        try:
            yield process
            process.send_signal(signal.SIGTERM)
            said, _ = process.communicate(timeout=PATIENCE_SECONDS)
            self.said.append(("run", said))
        finally:
            process.kill()
            process.wait()

    def _bound(self, arguments: tuple[str, ...]) -> tuple[str, ...]:
        return ("--config", str(self.path), *arguments)

    def send(self) -> str:
        """The id of a queued message."""
        command = ("send", "-f", "a@example.org", "b@example.org")
        assert self.ctl(*command, stdin=b"Subject: hello\n\nbody\n") == 0
        return self.said[-1][1].decode().strip()

    def look_at_everything(self, id: str) -> None:
        """Every command that shows something."""
        for json in ((), ("--json",)):
            for command in ("check", "status", "stats", "queue"):
                self.ctl(command, *json)
            self.ctl("show", id, *json)

    @property
    def log(self) -> str:
        path = self.home / "var" / "maildrop.log"
        return path.read_text() if path.exists() else ""

    @property
    def everything_said(self) -> str:
        """The log and all output so far."""
        return self.log + "".join(said.decode() for _, said in self.said)

    def wait_for_log(self, words: str) -> None:
        wait_until(lambda: words in self.log, what=f"{words!r} in the log")

    def look_at_processes(self, pid: int) -> None:
        """What the process list shows of a process, its parent and its children."""
        family = {pid, _parent(pid)}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and family & {int(entry.name), _parent(entry.name)}:
                self._look_at_process(entry)

    def _look_at_process(self, entry: Path) -> None:
        for name in ("cmdline", "environ"):
            with suppress(OSError):  # it has just ended, or is another user's
                words = f"{name} of {entry.name}"
                self.said.append((words, (entry / name).read_bytes()))

    def leaks(self) -> list[str]:
        """Which canaries were found, and where."""
        kept = [
            (str(path), path.read_bytes())
            for path in self.home.rglob("*")
            if path.is_file() and path not in self.given
        ]
        return [
            f"{name} in {where}"
            for where, data in [*self.said, *kept]
            for name in found_in(data)
        ]


def _parent(pid: int | str) -> int:
    """The parent of a process, 0 when it has just ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"PPid:\s+(\d+)", status)
    return int(found[1]) if found and found[1] != "1" else 0
