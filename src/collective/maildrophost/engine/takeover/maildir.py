"""What waits in a Maildir of zope.sendmail or repoze.sendmail.

The queue processor of either links `NAME` to `.sending-NAME` before it sends the mail,
and to `.rejected-NAME` when that was refused for good. Then it removes `NAME`, and last
`.sending-NAME`. Files in `tmp` belong to transactions that have not committed.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Iterator
from email.errors import MessageError
from email.header import decode_header, make_header
from pathlib import Path

from ..intake.reports import storable
from ..message import InvalidMessage
from ..message.headers import Field, FieldFinder, header_block_end, without
from ..message.mailfile import MailFile
from .oldmail import OldMail, found_at

FOLDERS = ("new", "cur")
SENDING, REJECTED = ".sending-", ".rejected-"
REFUSED = "refused for good before it came here, see the old log"
# Each program writes two fields in a place of its own: zope.sendmail with the addresses
# as they are, while repoze.sendmail may encode the whole list. Other fields with these
# names came with the mail, which may have been in such a queue before.
_ON_TOP = (b"x-zope-from", b"x-zope-to")
_BELOW = (b"x-actually-from", b"x-actually-to")
_FINDER = FieldFinder(*_ON_TOP, *_BELOW)
_ENCODED = re.compile(r"(?:=\?[^?]*\?[BbQq]\?[^?]*\?=\s*)+")


def is_maildir(directory: Path) -> bool:
    """Whether there is a Maildir at `directory`; OSError when it cannot be read.

    A copy of one may lack the folders that were empty.
    """
    return any((directory / name).is_dir() for name in FOLDERS)


def find(directory: Path) -> Iterator[OldMail]:
    """The mails of a Maildir, the oldest first; OSError when it cannot be read."""
    dated = []
    for folder in (directory / name for name in FOLDERS):
        if not folder.is_dir():
            continue
        with os.scandir(folder) as entries:
            # Both programs make only hard links: a symbolic one may lead anywhere.
            names = {
                entry.name for entry in entries if entry.is_file(follow_symlinks=False)
            }
        for base in {_base(name) for name in names} - {""}:
            files = tuple(
                folder / (prefix + base)
                for prefix in ("", SENDING, REJECTED)
                if prefix + base in names
            )
            if (found := found_at(files[0])) is not None:
                dated.append((base, files, found))
    seen = time.monotonic()
    for base, files, found in sorted(dated, key=_age):
        yield _mail(base, files, found, seen)


def _age(dated: tuple[str, tuple[Path, ...], os.stat_result]) -> tuple[int, str]:
    base, _, found = dated
    return found.st_mtime_ns, base


def _base(name: str) -> str:
    """The mail's own name; "" for a file that is no mail."""
    for prefix in (SENDING, REJECTED):
        name = name.removeprefix(prefix)
    return "" if name.startswith(".") else name


def _mail(
    base: str, files: tuple[Path, ...], found: os.stat_result, seen: float
) -> OldMail:
    names = {path.name for path in files}
    rejected = REJECTED + base in names
    place = files[0].parent / base
    return OldMail(
        # A Maildir never uses a name twice. The inode would not do: what is two links
        # to one file may be two files in a copy of the Maildir.
        key=lambda data: f"{storable(place)}\n{hashlib.sha256(data).hexdigest()}",
        files=files,
        found=found,
        seen=seen,
        open=_open,
        failed=REFUSED if rejected else "",
        # Its program was cut off while it sent the mail.
        possible_duplicate=SENDING + base in names and not rejected,
    )


def _open(data: bytes) -> MailFile:
    fields = _FINDER.find(data, header_block_end(data))
    envelope = _on_top(fields) or _below(fields)
    if envelope is None:
        raise InvalidMessage(
            "it has no envelope (X-Zope-From, X-Zope-To on top, or X-Actually-From, "
            "X-Actually-To): this is no queue of zope.sendmail or repoze.sendmail"
        )
    sender, recipients = envelope
    return MailFile(
        sender=_decoded(sender.value),
        recipients=(_decoded(recipients.value),),
        lane=None,
        at=None,
        content=without(data, sorted(envelope, key=lambda field: field.start)),
    )


def _on_top(fields: list[Field]) -> tuple[Field, Field] | None:
    """The envelope of zope.sendmail, which reads nothing but the first two lines."""
    if len(fields) < 2:
        return None
    sender, recipients = fields[:2]
    named = (sender.name, recipients.name) == _ON_TOP
    on_top = sender.start == 0 and recipients.start == sender.end
    return (sender, recipients) if named and on_top else None


def _below(fields: list[Field]) -> tuple[Field, Field] | None:
    """The envelope of repoze.sendmail, which adds it to the headers that are there."""
    last = {field.name: field for field in fields}
    sender, recipients = map(last.get, _BELOW)
    return (sender, recipients) if sender and recipients else None


def _decoded(value: bytes) -> str:
    try:
        text = b"".join(value.splitlines()).decode()
        # Where only a name is encoded, it stays so: a comma in it separates nothing.
        encoded = _ENCODED.fullmatch(text)
        return str(make_header(decode_header(text))) if encoded else text
    except (MessageError, LookupError, ValueError):
        raise InvalidMessage("an envelope that cannot be decoded") from None
