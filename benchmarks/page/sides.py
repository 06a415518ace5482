"""Who takes the mail of a page: ours, MailHost's two ways, and parts of them."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from Products.MailHost.MailHost import MailHost
from zope.sendmail.delivery import QueuedMailDelivery

from collective.maildrophost import productconfig
from collective.maildrophost.engine.message import compose
from collective.maildrophost.engine.queue import enqueue, open_queue
from collective.maildrophost.host import MaildropHost
from collective.maildrophost.transaction import SPILL_MESSAGES

from ..letters import RECIPIENT, SENDER
from .kinds import Kind

_DISK_BYTES = 4_000_000

Send = Callable[[Any, str], object]
"""Hands a message for an address over; the commit follows."""


@dataclass(frozen=True)
class Side:
    """One way to send a page's mail, to be compared with others.

    `make` gets a folder, the port of an SMTP server, and the kind of mail.
    """

    name: str
    make: Callable[[Path, int, Kind], Send]


def _to(host: MailHost, kind: Kind, **more: Any) -> Send:
    options = {**kind.options, **more}
    return lambda message, to: host.send(message, to, SENDER, **options)


def _ours(folder: Path, port: int, kind: Kind) -> Send:
    path = folder / "maildrop.conf"
    # Several processes share it, and none may find half of it.
    written = folder / f"maildrop.conf.{os.getpid()}"
    written.write_text(f'MAILDROP_HOME="{folder}/home"\n')
    written.replace(path)
    return _configured(folder, port, kind)


def _configured(folder: Path, port: int, kind: Kind) -> Send:
    """Ours, with the configuration that is there."""
    productconfig.add("bench", str(folder / "maildrop.conf"))
    host = MaildropHost("MailHost")
    host.setConfigPath("bench")
    return _to(host, kind)


def _queued(folder: Path, port: int, kind: Kind) -> Send:
    # Otherwise its thread would deliver meanwhile; our daemon does not run either.
    os.environ["MAILHOST_QUEUE_ONLY"] = "1"
    queue = _maildir(folder / "queued")
    host = MailHost("MailHost", smtp_queue=True, smtp_queue_directory=queue)
    return _to(host, kind)


def _maildir(path: Path) -> str:
    # Several processes that make one at the same time fail in zope.sendmail.
    for name in ("cur", "new", "tmp"):
        (path / name).mkdir(parents=True, exist_ok=True)
    return str(path)


def _alone(folder: Path, port: int, kind: Kind) -> Send:
    delivery = QueuedMailDelivery(_maildir(folder / "alone"))
    content = kind.content()
    return lambda message, to: delivery.send(SENDER, [to], content)


def _direct(folder: Path, port: int, kind: Kind) -> Send:
    host = MailHost("MailHost", smtp_host="127.0.0.1", smtp_port=port)
    return _to(host, kind)


def _immediate(folder: Path, port: int, kind: Kind) -> Send:
    # If it sent with the commit, MailHost would have a connection open for each mail of
    # the transaction: more than any server takes.
    host = MailHost("MailHost", smtp_host="127.0.0.1", smtp_port=port)
    return _to(host, kind, immediate=True)


def _rows(at_once: int, folder: Path, port: int, kind: Kind) -> Send:
    """What ours costs without MailHost, the making of the message, the transaction."""
    queue = open_queue(f"sqlite:///{folder}/rows/queue.db")
    mail = compose(kind.content(), SENDER, [RECIPIENT], now=time.time())
    waiting = []

    def send(message: Any, to: str) -> None:
        waiting.append(mail)
        if len(waiting) == at_once:
            with queue.write() as tx:
                enqueue(tx, waiting, time.time())
            waiting.clear()

    return send


def _disk(folder: Path, port: int, kind: Kind) -> Send:
    """What any queue costs that keeps its promise: a write, and its sync."""
    path = folder / f"disk.{os.getpid()}"
    path.write_bytes(bytes(_DISK_BYTES))
    file = os.open(path, os.O_RDWR)
    os.fsync(file)
    content = kind.content()
    # The file never grows: that would cost a second write.
    places = itertools.cycle(range(0, _DISK_BYTES - len(content), len(content)))

    def send(message: Any, to: str) -> None:
        os.pwrite(file, content, next(places))
        os.fdatasync(file)

    return send


def _no_mail(folder: Path, port: int, kind: Kind) -> Send:
    return lambda message, to: None


OURS = Side("maildrophost", _ours)
CONFIGURED = Side("maildrophost", _configured)
QUEUED = Side("MailHost with its queue", _queued)
ALONE = Side("QueuedMailDelivery alone", _alone)
DIRECT = Side("MailHost, direct SMTP", _direct)
IMMEDIATE = Side("MailHost, immediate SMTP", _immediate)
ROWS = Side("rows of one mail alone", partial(_rows, 1))
SPILLS = Side("rows alone", partial(_rows, SPILL_MESSAGES))
DISK = Side("a write and a sync", _disk)
NO_MAIL = Side("no mail", _no_mail)
SIDES = (OURS, QUEUED, ALONE, DIRECT)
FLOORS = (ROWS, DISK)
