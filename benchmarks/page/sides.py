"""Who takes the mail of a page: ours, MailHost's two ways, and a part of one."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from pathlib import Path

from Products.MailHost.MailHost import MailHost
from zope.sendmail.delivery import QueuedMailDelivery

from collective.maildrophost import productconfig
from collective.maildrophost.host import MaildropHost

SENDER = "page@example.org"
BODY = ("All work and no play makes mail a dull thing to read. " * 80)[:4300]

Send = Callable[[Message, str], object]
"""Hands a message for an address over; the commit follows."""


@dataclass(frozen=True)
class Side:
    """One of those that are compared; `make` gets a folder, and a port with SMTP."""

    name: str
    make: Callable[[Path, int], Send]


def letter() -> Message:
    """What a page has written; 4.4 kB when it is encoded."""
    message = Message()
    message["From"] = SENDER
    message["Subject"] = "a benchmark"
    message.set_payload(BODY, "utf-8")
    return message


def _ours(folder: Path, port: int) -> Send:
    path = folder / "maildrop.conf"
    # Several processes share it, and none may find half of it.
    written = folder / f"maildrop.conf.{os.getpid()}"
    written.write_text(f'MAILDROP_HOME="{folder}/home"\n')
    written.replace(path)
    productconfig.add("bench", str(path))
    host = MaildropHost("MailHost")
    host.setConfigPath("bench")
    return lambda message, to: host.send(message, to, SENDER)


def _queued(folder: Path, port: int) -> Send:
    # Its thread would deliver meanwhile; our daemon does not run either.
    os.environ["MAILHOST_QUEUE_ONLY"] = "1"
    queue = _maildir(folder / "queued")
    host = MailHost("MailHost", smtp_queue=True, smtp_queue_directory=queue)
    return lambda message, to: host.send(message, to, SENDER)


def _maildir(path: Path) -> str:
    # Several processes that make one at the same time fail in zope.sendmail.
    for name in ("cur", "new", "tmp"):
        (path / name).mkdir(parents=True, exist_ok=True)
    return str(path)


def _alone(folder: Path, port: int) -> Send:
    delivery = QueuedMailDelivery(_maildir(folder / "alone"))
    return lambda message, to: delivery.send(SENDER, [to], message.as_bytes())


def _direct(folder: Path, port: int) -> Send:
    host = MailHost("MailHost", smtp_host="127.0.0.1", smtp_port=port)
    return lambda message, to: host.send(message, to, SENDER)


def _immediate(folder: Path, port: int) -> Send:
    # With the transaction it would hold a connection open for each mail in it, more
    # than any server takes.
    host = MailHost("MailHost", smtp_host="127.0.0.1", smtp_port=port)
    return lambda message, to: host.send(message, to, SENDER, immediate=True)


OURS = Side("maildrophost", _ours)
QUEUED = Side("MailHost with its queue", _queued)
ALONE = Side("QueuedMailDelivery alone", _alone)
DIRECT = Side("MailHost, direct SMTP", _direct)
IMMEDIATE = Side("MailHost, immediate SMTP", _immediate)
SIDES = (OURS, QUEUED, ALONE, DIRECT)
