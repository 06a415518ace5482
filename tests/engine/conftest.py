"""The real daemon process on a configuration of its own."""

from __future__ import annotations

import logging
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import commands
import pytest
from commands import PROGRAM, environment
from servers.certificates import Certificates
from servers.scripted import Scripted
from servers.unused import unused
from waiting import PATIENCE_SECONDS, wait_until

from collective.maildrophost.engine.config import Configuration, load
from collective.maildrophost.engine.daemon.log import ROOT
from collective.maildrophost.engine.doorbell import ring
from collective.maildrophost.engine.message import Lane, Message, compose
from collective.maildrophost.engine.queue import (
    AttemptRecord,
    Daemon,
    MessageRecord,
    Queue,
    RelayPause,
    State,
    all_daemons,
    attempts,
    doorbells,
    enqueue,
    get_message,
    open_queue,
    pauses,
)


def mail(
    *recipients: str,
    subject: str = "hello",
    body: str = "body\n",
    lane: Lane | None = None,
    sender: str = "a@example.org",
) -> Message:
    """A message as MailHost or the command line would queue it."""
    return compose(
        f"From: {sender}\nSubject: {subject}\n\n{body}",
        sender,
        recipients or ("b@example.org",),
        lane=lane,
        now=time.time(),
    )


class Running:
    """A daemon process; it is killed at the end if it still runs."""

    def __init__(self, site: Site, process: subprocess.Popen[bytes]) -> None:
        self.site = site
        self.process = process
        self.pid = process.pid

    @property
    def row(self) -> Daemon | None:
        """Its heartbeat."""
        return next((each for each in self.site.daemons if each.pid == self.pid), None)

    def wait_for_heartbeat(self) -> Daemon:
        def beats() -> Daemon | None:
            assert self.process.poll() is None, self.site.log
            return self.row

        return wait_until(beats, what="the first heartbeat")

    def wait_for_reload(self, before: Daemon) -> None:
        """Until its heartbeat has another owner; between the two there is none."""

        def beats_anew() -> bool:
            row = self.row
            return row is not None and row.owner != before.owner

        wait_until(beats_anew, what="a reload")

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def stop(self) -> int:
        """The exit status after SIGTERM."""
        self.signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_SECONDS)

    def kill(self) -> None:
        """As kill -9 or a lack of memory ends it: nothing can be cleaned up."""
        self.process.kill()
        self.process.wait(PATIENCE_SECONDS)


class Site:
    """A configuration, its queue, the daemons that work on it."""

    def __init__(self, home: Path, queue: str | None = None) -> None:
        self.home = home
        self.path = home / "maildrop.conf"
        self.program: tuple[str, ...] = PROGRAM
        self.environ: dict[str, str] = {}
        self.options: dict[str, object] = {
            "MAILDROP_HOME": home,
            "SMTP_HOST": "127.0.0.1",
            "MAILDROP_INTERVAL": 3600,
            "MAILDROP_RETRY_MIN": 0.2,
            "MAILDROP_STOP_TIMEOUT": 5,
        }
        if queue is not None:
            self.options["MAILDROP_QUEUE"] = queue
        self.configure()
        self.queue: Queue = open_queue(self.configuration.queue)

    def configure(self, **options: object) -> None:
        """Change the configuration; what was set before stays."""
        self.options.update(options)
        lines = [f"{name}='{value}'\n" for name, value in self.options.items()]
        self.path.write_text("".join(lines))
        self.path.chmod(0o600)

    @property
    def configuration(self) -> Configuration:
        return load(self.path, {})

    @property
    def log(self) -> str:
        path = self.home / "var" / "maildrop.log"
        return path.read_text() if path.exists() else ""

    def log_lines(self, words: str) -> list[str]:
        return [line for line in self.log.splitlines() if words in line]

    def logged(self, words: str) -> float:
        """When the first line with these words was written."""
        moment, _, _ = self.log_lines(words)[0].partition(" ")
        return datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp()

    @property
    def daemons(self) -> list[Daemon]:
        with self.queue.read() as tx:
            return all_daemons(tx)

    @property
    def pauses(self) -> list[RelayPause]:
        with self.queue.read() as tx:
            return pauses(tx)

    def attempts(self, id: str) -> list[AttemptRecord]:
        with self.queue.read() as tx:
            return attempts(tx, id)

    def send(self, *messages: Message) -> tuple[str, ...]:
        """Queue as every sender does: commit, then ring; the ids."""
        with self.queue.write() as tx:
            ids = enqueue(tx, messages or (mail(),), time.time())
            bells = doorbells(tx)
        ring(bells)
        return ids

    def grow_old(self, seconds: float) -> None:
        """Have all mail be so much older."""
        with self.queue.write() as tx:
            tx.exec_driver_sql(
                f"UPDATE maildrop_schedule SET since = since - {seconds}"
            )

    def message(self, id: str) -> MessageRecord:
        with self.queue.read() as tx:
            found = get_message(tx, id)
        assert found is not None
        return found

    def wait_for(
        self, id: str, state: State, timeout: float = PATIENCE_SECONDS
    ) -> MessageRecord:
        what = f"that message {id} is {state.value}"
        wait_until(lambda: self.message(id).state is state, timeout, what)
        return self.message(id)

    def start(self, *arguments: str) -> subprocess.Popen[bytes] | commands.Lasting:
        bound = "--config", str(self.path), "run", *arguments
        environ = environment(**self.environ)
        return commands.start(*bound, environ=environ, program=self.program)

    @contextmanager
    def daemon(self, wait: bool = True) -> Iterator[Running]:
        process = self.start()
        running = Running(self, process)
        try:
            if wait:
                running.wait_for_heartbeat()
            yield running
        finally:
            process.kill()
            process.communicate()

    def once(self) -> int:
        """The exit status of `run --once`."""
        process = self.start("--once")
        try:
            process.communicate(timeout=PATIENCE_SECONDS)
        finally:
            process.kill()
            process.wait()
        return process.returncode

    def call(
        self, *arguments: str | bytes, stdin: bytes = b""
    ) -> subprocess.CompletedProcess[bytes]:
        """`maildropctl`, however it ends."""
        bound = "--config", str(self.path), *arguments
        return commands.run(
            *bound, stdin=stdin, environ=environment(), program=self.program
        )

    def ctl(self, *arguments: str, stdin: bytes = b"") -> str:
        """What `maildropctl` prints; it must succeed."""
        ended = self.call(*arguments, stdin=stdin)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout.decode().strip()


@pytest.fixture(scope="session")
def certificates() -> Iterator[Certificates]:
    """An authority, and the certificate of a relay on this machine."""
    with Certificates() as certificates:
        yield certificates


@pytest.fixture(scope="session")
def make_site() -> type[Site]:
    return Site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.queue.close()


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    """A queue alone, on SQLite."""
    queue = open_queue(f"sqlite:///{tmp_path}/queue.db")
    yield queue
    queue.close()


@pytest.fixture
def own_log() -> Iterator[None]:
    """A daemon in the test's own process may set up its log, which ends with the test.

    Otherwise all that later tests log would go to its file, too, at its level.
    """
    logger = logging.getLogger(ROOT)
    level, propagate, handlers = logger.level, logger.propagate, logger.handlers[:]
    yield
    for handler in set(logger.handlers) - set(handlers):
        logger.removeHandler(handler)
        handler.close()
    logger.setLevel(level)
    logger.propagate = propagate


@pytest.fixture
def unused_port() -> Iterator[int]:
    """A port where nobody answers until a test starts a server there."""
    with unused() as port:
        yield port


@pytest.fixture
def late_relay() -> Callable[..., Scripted]:
    """A relay that starts on a port where there was nobody before."""
    return lambda port, answers=None: Scripted(answers, port=port)


@pytest.fixture
def make_mail() -> Callable[..., Message]:
    return mail
