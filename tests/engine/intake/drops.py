"""Files dropped for the daemon, and what became of them."""

from __future__ import annotations

from pathlib import Path

from collective.maildrophost.engine.queue import list_messages

MAIL = b"##To:b@x.org\n##From:a@x.org\nMessage-Id: <1@x>\nSubject: hello\n\nbody\n"


class Killed(BaseException):
    """What ends an intake where it stands."""


def kill(*arguments):
    raise Killed


def drop(spool: Path, name: str, data: bytes = MAIL) -> Path:
    (spool / name).write_bytes(data)
    return spool / name


def messages(queue):
    with queue.read() as tx:
        return list_messages(tx)


def errors(caplog):
    return [each.getMessage() for each in caplog.records if each.levelname == "ERROR"]
