"""The real daemon on what a power cut has left: everything is delivered in the end."""

from __future__ import annotations

import os
import random
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from proof.powercut.disk import Kept
from proof.powercut.ledger import ALLOWED, DUE, Mail, mails
from proof.powercut.recording import Moment, Recording
from servers.scripted import Scripted
from sqlalchemy import text
from waiting import wait_until

from collective.maildrophost.engine.queue import Queue, State, stats

SECONDS = 60.0
_KEYS = text("SELECT key FROM maildrop_taken_file")
_CHANGE_KEY = text("UPDATE maildrop_taken_file SET key = :new WHERE key = :old")
WAITING = (State.QUEUED, State.DEFERRED, State.SENDING)


def faults_after(
    recording: Recording,
    moment: Moment,
    relay: Scripted,
    kept: Kept,
    dice: random.Random,
) -> list[str]:
    """What is wrong once a daemon has gone on in place of the one that was cut off."""
    home = recording.home
    shutil.rmtree(home)
    home.mkdir()
    moment.disk.rebuild(home, kept, dice)
    with recording.database.opened(home) as queue:
        _give_files_their_identity(queue, home)
        before = {mail.name: mail for mail in mails(queue)}
        seen = len(relay.accepted)
        with recording.site.daemon(wait=False):
            _await_looks(home / "spool")
            wait_until(lambda: _all_over(queue), SECONDS, "the end of all mail")
        arrived = Counter(
            received.sender.partition("@")[0] for received in relay.accepted[seen:]
        )
        after = {mail.name: mail for mail in mails(queue)}
    return list(_faults(moment, before, arrived, after))


def _give_files_their_identity(queue: Queue, home: Path) -> None:
    """A synced file keeps inode and time over a power cut; a rebuilt one has others."""
    with queue.write() as tx:
        for key in list(tx.execute(_KEYS).scalars()):
            path, _, numbers = key.partition("\n")
            _, size, changed = map(int, numbers.split())
            if os.path.exists(path) and os.path.getsize(path) == size:
                os.utime(path, ns=(changed, changed))
                new = f"{path}\n{os.stat(path).st_ino} {size} {changed}"
                tx.execute(_CHANGE_KEY, {"old": key, "new": new})


def _await_looks(spool: Path) -> None:
    """Return when the daemon has been through the whole drop directory.

    It takes a file amid a look at all of them: with the second one, the look that took
    the first is over.
    """
    wait_until(spool.is_dir, SECONDS, "the drop directory")
    for number in (1, 2):
        hidden, file = spool / ".last", spool / f"last-{number}"
        hidden.write_text(f"##To:ok@x.org\n##From:{file.name}@x.org\n\nthe end\n")
        hidden.rename(file)
        wait_until(lambda file=file: not file.exists(), SECONDS, "a look at the files")


def _all_over(queue: Queue) -> bool:
    with queue.read() as tx:
        states = stats(tx, time.time()).states
    return not any(states[state] for state in WAITING)


def _faults(
    moment: Moment,
    before: dict[str, Mail],
    arrived: Counter[str],
    after: dict[str, Mail],
) -> Iterator[str]:
    offers = moment.testimony.offers
    for name, step in moment.testimony.steps.items():
        if ALLOWED[step] == {DUE} and name not in after:
            yield f"{name} is lost after {step}"
        if DUE not in ALLOWED[step] and name in arrived:
            yield f"{name} was sent after {step}"
    for name, count in arrived.items():
        mail = before.get(name)
        if count > 1:
            yield f"{name} was sent {count} times"
        if mail is not None and mail.sent:
            yield f"{name} was sent again, though its end was recorded"
        in_flight = mail is not None and mail.attempts < offers[name].made
        if in_flight and not after[name].possible_duplicate:
            yield f"{name} may have been sent twice and is not marked"
    for name, mail in after.items():
        if mail.state == "sent" and not (arrived[name] or offers[name].made):
            yield f"{name} counts as sent, and nobody has it"
