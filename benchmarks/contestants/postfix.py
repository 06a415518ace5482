"""Postfix draining its queue: an instance of our own, in a folder of its own.

Its settings are Postfix's defaults, but for where things are, where the log goes, and
that all mail goes to the sink. The defaults happen to allow 20 connections to a relay.
The machine's own Postfix is not touched.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..failure import BenchmarkFailed
from ..letters import LETTER_BYTES, RECIPIENT, SENDER
from ..programs import free_port, installed, run
from .contestant import Awake, Job

FILL_SECONDS = 120.0
STOP_SECONDS = 10.0
FILLING_CONNECTIONS = 20
QUEUES = ("incoming", "active", "deferred", "maildrop")

MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
myhostname = bench.example.org
mydestination =
alias_maps =
alias_database =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
relayhost = [127.0.0.1]:{port}
smtp_destination_concurrency_limit = {connections}
# Mail is held while the queue is filled.
smtpd_client_restrictions = check_client_access static:HOLD
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
"""
MASTER_CF = """\
{inlet} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


def missing() -> str:
    """Why Postfix cannot take part, "" when it can."""
    if installed("postfix") is None:
        return "it is not installed"
    if os.geteuid() != 0:
        return "its master process needs root"
    return ""


@dataclass(frozen=True)
class Postfix:
    """Several connections, each kept for some messages."""

    name: str
    connections: int

    @contextmanager
    def job(self, folder: Path, port: int, count: int) -> Iterator[Job]:
        inlet = free_port()
        configuration = _configure(folder, port, inlet, self.connections)
        _run("postfix", configuration, "start")
        try:
            _fill(folder, inlet, count)
            _run("postsuper", configuration, "-H", "ALL")
            pid = int((folder / "queue" / "pid" / "master.pid").read_text())
            yield Job(
                command=(_path("postqueue"), "-c", str(configuration), "-f"),
                left=lambda: _waiting(folder, *QUEUES),
                daemon=Awake(root=pid, idle=lambda: _nothing(folder)),
            )
        finally:
            _run("postfix", configuration, "stop")
            shutil.rmtree(folder / "queue")


def _configure(folder: Path, port: int, inlet: int, connections: int) -> Path:
    # Its daemons run as another user, and have to get into the folder.
    folder.chmod(0o755)
    configuration = folder / "etc"
    configuration.mkdir()
    (folder / "queue").mkdir()
    (folder / "data").mkdir()
    shutil.chown(folder / "data", "postfix")
    main = MAIN_CF.format(folder=folder, port=port, connections=connections)
    (configuration / "main.cf").write_text(main)
    (configuration / "master.cf").write_text(MASTER_CF.format(inlet=inlet))
    return configuration


def _fill(folder: Path, inlet: int, count: int) -> None:
    source = (
        *(_path("smtp-source"), "-d", "-s", str(FILLING_CONNECTIONS)),
        *("-m", str(count), "-l", str(LETTER_BYTES)),
        *("-f", SENDER, "-t", RECIPIENT, f"127.0.0.1:{inlet}"),
    )
    run(source)
    deadline = time.monotonic() + FILL_SECONDS
    while _waiting(folder, "hold") < count:
        if time.monotonic() > deadline:
            raise BenchmarkFailed(f"Postfix takes no mail: see {folder}/log")
        time.sleep(0.05)


def _waiting(folder: Path, *queues: str) -> int:
    return sum(1 for name in queues for _ in _files(folder / "queue" / name))


def _nothing(folder: Path) -> bool:
    """Whether all is delivered; looks no further than the first message."""
    files = (_files(folder / "queue" / name) for name in QUEUES)
    return not any(True for each in files for _ in each)


def _files(folder: Path) -> Iterator[Path]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from _files(Path(entry))
            else:
                yield Path(entry)


def _run(program: str, configuration: Path, *arguments: str) -> None:
    run((_path(program), "-c", str(configuration), *arguments))


def _path(program: str) -> str:
    path = installed(program)
    if path is None:
        raise BenchmarkFailed(f"{program} is not installed")
    return path
