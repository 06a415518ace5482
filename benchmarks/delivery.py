"""How fast everybody delivers: over loopback, then to a server that answers late."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path

from .contestants.contestant import Contestant
from .contestants.maildrophost import Maildrophost, environment, without_uvloop
from .contestants.postfix import Postfix
from .contestants.postfix import missing as postfix_misses
from .contestants.smtpsource import SmtpSource
from .contestants.zopesendmail import ZopeSendmail
from .measuring import Disturbed, Figures, measure
from .programs import installed
from .sink import Sink, fastest_sink, own_sink
from .table import Goal
from .versions import has_uvloop

CONNECTIONS = 20
"""SMTP connections of a contestant; where several daemons deliver, of each."""
LATE_SECONDS = 0.02
TRIES = 3
"""Tries of one measurement that other programs disturb."""
LOOPBACK, LATE = "loopback", "20 ms late"

OURS, ZOPE_SENDMAIL, POSTFIX = "maildrophost", "zope.sendmail", "Postfix"
OURS_ASYNCIO = "maildrophost without uvloop"
SMTP_SOURCE, SMTP_SOURCE_KEPT = "smtp-source", "smtp-source -d"

GOALS = (
    Goal(LOOPBACK, ZOPE_SENDMAIL, 4.0),
    Goal(LOOPBACK, POSTFIX, 2.5),
    # The limit of a client in C; the second one keeps its connections, as we do.
    Goal(LOOPBACK, SMTP_SOURCE, 0.45),
    Goal(LOOPBACK, SMTP_SOURCE_KEPT, 0.45),
    Goal(LATE, ZOPE_SENDMAIL, 60.0),
)

COUNTS: Mapping[str, Mapping[str, int]] = {
    LOOPBACK: {
        OURS: 20000,
        OURS_ASYNCIO: 20000,
        ZOPE_SENDMAIL: 5000,
        POSTFIX: 6000,
        SMTP_SOURCE: 30000,
        SMTP_SOURCE_KEPT: 60000,
    },
    # zope.sendmail sends seven messages a second here.
    LATE: {
        OURS: 3000,
        ZOPE_SENDMAIL: 60,
        POSTFIX: 2000,
        SMTP_SOURCE: 600,
        SMTP_SOURCE_KEPT: 1200,
    },
}
"""Enough messages of each for about four seconds, so that nobody's start counts."""

Runs = dict[str, list[Figures]]


@dataclass(frozen=True)
class Absent:
    """A contestant that does not take part, and why."""

    name: str
    reason: str


def contestants() -> tuple[list[Contestant], list[Absent]]:
    """Everybody who can run here, and who can't."""
    able: list[Contestant] = [Maildrophost(OURS, CONNECTIONS)]
    absent = []
    if has_uvloop():
        slower = without_uvloop(environment())
        able.append(Maildrophost(OURS_ASYNCIO, CONNECTIONS, slower))
    able.append(ZopeSendmail(ZOPE_SENDMAIL))
    if reason := postfix_misses():
        absent.append(Absent(POSTFIX, reason))
    else:
        able.append(Postfix(POSTFIX, CONNECTIONS))
    program = installed("smtp-source")
    if program is None:
        absent.append(Absent(SMTP_SOURCE, "Postfix is not installed"))
    else:
        able.append(SmtpSource(SMTP_SOURCE, program, CONNECTIONS, keep=False))
        able.append(SmtpSource(SMTP_SOURCE_KEPT, program, CONNECTIONS, keep=True))
    return able, absent


def compare(
    setting: str, able: Sequence[Contestant], counts: Mapping[str, int], rounds: int
) -> Runs:
    """Everybody with a count in turn, `rounds` times over, so that a drift hits all."""
    runs: Runs = {each.name: [] for each in able if each.name in counts}
    for _ in range(rounds):
        for contestant in able:
            if contestant.name in counts:
                figures = _undisturbed(setting, contestant, counts[contestant.name])
                runs[contestant.name].append(figures)
    return runs


def _undisturbed(setting: str, contestant: Contestant, count: int) -> Figures:
    for _ in range(TRIES - 1):
        with suppress(Disturbed):
            return _one(setting, contestant, count)
    return _one(setting, contestant, count)


def _one(setting: str, contestant: Contestant, count: int) -> Figures:
    with tempfile.TemporaryDirectory(prefix="maildrop-bench-") as name:
        # Postfix works as another user, in a directory below this one.
        Path(name).chmod(0o755)
        folder = Path(name, "queue")
        folder.mkdir()
        with _sink(setting, Path(name)) as sink:
            return measure(contestant, folder, sink, count)


def _sink(setting: str, folder: Path) -> AbstractContextManager[Sink]:
    return own_sink(folder, LATE_SECONDS) if setting == LATE else fastest_sink(folder)
