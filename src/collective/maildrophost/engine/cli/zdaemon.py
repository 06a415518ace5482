"""zdaemon, the supervisor of the background daemon: its files, its commands."""

from __future__ import annotations

import math
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import MaildropError
from ..system.socketaddress import TEMPORARY, socket_address
from . import daemonprocess
from .importpath import interpreter_environment

if TYPE_CHECKING:
    from ..config import Configuration

ANSWER_SECONDS = 15.0
LAUNCH_SECONDS = 30.0
LARGEST_PID = 4194304  # proc(5): PID_MAX_LIMIT
# Seconds beyond MAILDROP_STOP_TIMEOUT until zdaemon kills a daemon that hangs.
KILL_MARGIN_SECONDS = 10
BACKOFF_SECONDS = 10
EVENT = "zdaemon: "
_SETTINGS_SUFFIX = "zdaemon.conf"


class CannotStart(MaildropError):
    """zdaemon itself did not come up."""


@dataclass(frozen=True)
class Supervised:
    """What zdaemon says about its daemon; ``pid`` is 0 while none runs."""

    pid: int
    manager: int
    last_start: float
    """Epoch seconds, 0 before the first one."""

    @property
    def died(self) -> bool:
        """Whether the daemon was started and is gone."""
        return self.pid == 0 and self.last_start > 0


@dataclass(frozen=True)
class Supervisor:
    """The zdaemon of one configuration.

    Its files are in MAILDROP_VAR, which two configurations never share, and are named
    after the pid file.
    """

    configuration: Configuration

    @property
    def socket_path(self) -> Path:
        """Where zdaemon listens."""
        return self._file("zdsock")

    @property
    def transcript(self) -> Path:
        """What the daemon said outside its log: start-up errors, crashes."""
        return self._file("out")

    def _file(self, suffix: str) -> Path:
        name = f"{self.configuration.pid_file.stem}.{suffix}"
        return self.configuration.var / name

    def state(self) -> Supervised | None:
        """The state of the daemon, None when zdaemon does not run."""
        answer = self.ask("status")
        fields = dict(re.findall(r"(?m)^(\w+)=(.*)$", answer or ""))
        try:
            return Supervised(
                pid=int(fields["application"]),
                manager=int(fields["manager"]),
                last_start=float(fields["lasttime"]),
            )
        except (KeyError, ValueError):
            return None

    def ask(self, command: str) -> str | None:
        """zdaemon's answer to `command` (zdaemon.zdrun: cmd_*), None without one."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(ANSWER_SECONDS)
            with suppress(OSError):
                with socket_address(self.socket_path) as address:
                    connection.connect(address)
                connection.sendall(command.encode("ascii") + b"\n")
                connection.shutdown(socket.SHUT_WR)
                return b"".join(iter(lambda: connection.recv(4096), b"")).decode()
        return None

    def launch(self) -> None:
        """Start zdaemon, which starts the daemon; raises CannotStart."""
        try:
            with self._address() as address:
                launched = self._run(self._prepare(address))
        except subprocess.TimeoutExpired:
            raise CannotStart(
                f"zdaemon did not start within {LAUNCH_SECONDS:.0f} seconds: one that "
                f"hangs may hold {self.socket_path}"
            ) from None
        # Two people may start it at the same moment: one zdaemon is enough.
        if launched.returncode != 0 and self.state() is None:
            raise CannotStart(f"zdaemon did not start: {launched.stderr.strip()}")

    @contextmanager
    def _address(self) -> Iterator[Path]:
        """What zdaemon binds its socket by; raises CannotStart."""
        name = self.socket_path.name
        # It binds NAME.PID first, and links it to NAME.
        longest = self.socket_path.with_name(f"{name}.{LARGEST_PID}")
        with ExitStack() as stack:
            try:
                address = stack.enter_context(socket_address(longest))
            except OSError as error:
                raise CannotStart(
                    f"cannot write to {TEMPORARY}: {error.strerror}; the path of "
                    f"MAILDROP_VAR {self.configuration.var} is too long for a socket"
                ) from None
            yield Path(address).with_name(name)

    def _prepare(self, address: Path) -> Path:
        """Write zdaemon's files; returns that of its settings. Raises CannotStart."""
        settings = self._file(_SETTINGS_SUFFIX)
        try:
            self._begin_transcript()
            # One that is left over may belong to somebody else, root say.
            settings.unlink(missing_ok=True)
            settings.write_text(self._settings(address), encoding="utf-8")
        except OSError as error:
            raise CannotStart(
                f"cannot write to MAILDROP_VAR {self.configuration.var}: "
                f"{error.strerror}"
            ) from None
        return settings

    def _run(self, settings: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [
                # Else zdaemon's warnings pass for last words of a daemon that has none.
                *(sys.executable, "-W", "ignore::DeprecationWarning"),
                *("-m", "zdaemon.zdrun", "-C", str(settings)),
                *daemonprocess.command(self.configuration.path),
            ],
            env={**interpreter_environment(os.environ), daemonprocess.MARK: "1"},
            # Python 3.10 would import from wherever somebody types `start`.
            cwd=self.configuration.var,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            timeout=LAUNCH_SECONDS,
            check=False,
        )

    def _begin_transcript(self) -> None:
        with suppress(FileNotFoundError):
            self.transcript.replace(self._file("out.old"))
        self.transcript.touch(mode=0o600)

    def _settings(self, address: Path) -> str:
        """A zdaemon configuration (zdaemon/component.xml)."""
        stop_seconds = math.ceil(self.configuration.stop_timeout) + KILL_MARGIN_SECONDS
        return _SETTINGS.format(
            program=_quoted(sys.executable),
            socket=_quoted(address),
            transcript=_quoted(self.transcript),
            directory=_quoted(self.configuration.var),
            backoff=BACKOFF_SECONDS,
            stop=stop_seconds,
            umask=f"{_current_umask():03o}",
            event=EVENT,
        )

    @property
    def patience(self) -> float:
        """Seconds after which the zdaemon that runs kills a daemon that it stops.

        A reload of the daemon does not change them.
        """
        try:
            settings = self._file(_SETTINGS_SUFFIX).read_text(encoding="utf-8")
        except (OSError, UnicodeError):
            return math.inf
        timeout = re.search(r"(?m)^ *stop-timeout ([0-9]+)$", settings)
        return float(timeout[1]) if timeout else math.inf

    def last_words(self) -> str:
        """The last line of the daemon in the transcript, "" when it said nothing."""
        try:
            lines = self.transcript.read_text(errors="replace").splitlines()
        except OSError:
            return ""
        said = [line for line in lines if line.strip() and EVENT not in line]
        return said[-1].strip() if said else ""


_SETTINGS = """\
# Written by each start: changes get lost.
<runner>
  program {program}
  socket-name {socket}
  transcript {transcript}
  directory {directory}
  backoff-limit {backoff}
  forever on
  exit-codes 0,2
  stop-timeout {stop}
  umask {umask}
  <eventlog>
    level info
    <logfile>
      path STDERR
      format %(asctime)s {event}%(message)s
    </logfile>
  </eventlog>
</runner>
"""


def _quoted(value: object) -> str:
    return str(value).replace("$", "$$")  # ZConfig replaces $name


def _current_umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
