"""Whether a queue keeps what had been said when the power was cut."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from proof.powercut.testimony import Offers, Testimony
from sqlalchemy import text

from collective.maildrophost.engine.message import InvalidMessage, mailfile
from collective.maildrophost.engine.queue import Queue

GONE, PREPARED, DUE = "gone", "prepared", "due"
ALLOWED = {
    "writing": {GONE, DUE},
    "queued": {DUE},
    "preparing": {GONE, PREPARED},
    "prepared": {PREPARED},
    "releasing": {PREPARED, DUE},
    "released": {DUE},
    "discarding": {PREPARED, GONE},
    "discarded": {GONE},
    "dropping": {GONE, DUE},
    "dropped": {DUE},
}
"""What a mail may be by the last word on it; what was offered or ended was due."""

_MAILS = text("""
    SELECT message.sender, schedule.state, schedule.owner, schedule.possible_duplicate,
        message.size, content.data,
        (SELECT count(DISTINCT number) FROM maildrop_attempt
         WHERE message_id = message.id) AS attempts,
        (SELECT count(*) FROM maildrop_attempt
         WHERE message_id = message.id AND outcome = 'sent') AS sent
    FROM maildrop_message AS message
    JOIN maildrop_schedule AS schedule ON schedule.message_id = message.id
    LEFT JOIN maildrop_content AS content ON content.message_id = message.id
""")
_TAKEN = text("SELECT key FROM maildrop_taken_file")


@dataclass(frozen=True)
class Mail:
    """A mail as the queue has it."""

    sender: str
    state: str
    owner: str | None
    possible_duplicate: bool
    size: int
    data: bytes | None
    attempts: int
    sent: int

    @property
    def name(self) -> str:
        return self.sender.partition("@")[0]

    @property
    def standing(self) -> str:
        return PREPARED if self.state == "prepared" else DUE


def mails(queue: Queue) -> list[Mail]:
    with queue.read() as tx:
        return [Mail(**row._mapping) for row in tx.execute(_MAILS)]


def losses(home: Path, queue: Queue, testimony: Testimony) -> list[str]:
    """What the `queue` of a rebuilt `home` does not keep; [] is the proof."""
    return [
        *_broken_words(queue, home, testimony),
        *_broken_files(queue, home),
    ]


def _broken_words(queue: Queue, home: Path, testimony: Testimony) -> Iterator[str]:
    found: dict[str, Mail] = {}
    for mail in mails(queue):
        if mail.name in found:
            yield f"{mail.name} is there twice"
        found[mail.name] = mail
        yield from _broken_content(mail)
    waiting = _in_whole_files(home)
    for name in testimony.steps.keys() | found.keys():
        mail = found.get(name)
        standing = mail.standing if mail else DUE if name in waiting else GONE
        step = testimony.steps.get(name, "never heard of")
        if standing not in ALLOWED.get(step, ()):
            yield f"{name} is {standing} after {step}"
    for name, offers in testimony.offers.items():
        yield from _broken_verdicts(name, offers, found.get(name))


def _broken_content(mail: Mail) -> Iterator[str]:
    if mail.data is None:
        if mail.state != "sent":
            yield f"{mail.name} is {mail.state} and has no content"
    elif len(mail.data) != mail.size or not mail.data.rstrip().endswith(b"the end"):
        yield f"{mail.name} has another content"


def _broken_verdicts(name: str, offers: Offers, mail: Mail | None) -> Iterator[str]:
    if mail is None:
        yield f"{name} was offered and is gone"
        return
    if mail.attempts < offers.ended:
        yield f"{name}: {mail.attempts} of {offers.ended} verdicts are recorded"
    if mail.sent < offers.accepted:
        yield f"{name} was accepted, which is not recorded"
    in_flight = mail.state == "sending" and mail.owner is not None
    if mail.attempts < offers.made and not (in_flight or mail.possible_duplicate):
        yield f"{name} was being sent, is {mail.state}, and would not be marked"


def _broken_files(queue: Queue, home: Path) -> Iterator[str]:
    """A file whose mail was taken must be known, or it would be taken again."""
    taken = {mail.name for mail in mails(queue)}
    with queue.read() as tx:
        keys = {_path_and_size(key) for key in tx.execute(_TAKEN).scalars()}
    for path in _dropped_files(home):
        name = _name_of(path)
        if name in taken and (path.name, path.stat().st_size) not in keys:
            yield f"{path.name} would be taken a second time"


def _path_and_size(key: str) -> tuple[str, int]:
    path, _, numbers = key.partition("\n")
    return Path(path).name, int(numbers.split()[1])


def _dropped_files(home: Path) -> list[Path]:
    spool = home / "spool"
    return [path for path in spool.glob("[!.]*") if path.stat().st_size]


def _name_of(path: Path) -> str | None:
    try:
        return mailfile.parse(path.read_bytes()).sender.partition("@")[0]
    except InvalidMessage:
        return None  # Torn: nothing of it can be sent.


def _in_whole_files(home: Path) -> set[str]:
    files = _dropped_files(home)
    whole = [path for path in files if path.read_bytes().rstrip().endswith(b"the end")]
    names = map(_name_of, whole)
    return {name for name in names if name is not None}
