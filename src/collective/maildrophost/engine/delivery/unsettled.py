"""What waits to be written: verdicts of connections, notes about the relay."""

# Rules of this file:
# - Nothing is dropped before it is written, except what the database says that it will
#   never take.
# - After a refusal all is written one by one, to find out what was refused: a message
#   whose verdicts cannot be written must not keep those of the others in memory.

from __future__ import annotations

import logging
from dataclasses import dataclass

from ..logfile import one_line
from ..queue import Claim, MessageKey, Refused, Settlement
from .books import Note
from .finished import Finished

log = logging.getLogger("maildrop.delivery")


@dataclass(frozen=True)
class Portion:
    """What one transaction is to write."""

    finished: tuple[Finished, ...] = ()
    notes: tuple[Note, ...] = ()

    def __len__(self) -> int:
        return len(self.finished) + len(self.notes)

    @property
    def claims(self) -> list[Claim]:
        """Those that end."""
        return [done.claim for done in self.finished]

    @property
    def settlements(self) -> list[Settlement]:
        """What became of those that were tried."""
        return [done.settlement for done in self.finished if done.settlement]

    def given_back(self, suspect: bool) -> list[MessageKey]:
        """Those that were not tried: the suspects, or all others."""
        return [
            done.claim.key
            for done in self.finished
            if done.settlement is None and done.suspect is suspect
        ]


class Unsettled:
    """Gives portions out, and takes them back when they could not be written."""

    def __init__(self) -> None:
        self._finished: list[Finished] = []
        self._notes: list[Note] = []
        self._to_go_alone = 0  # of those

    def __len__(self) -> int:
        return len(self._finished) + len(self._notes)

    def add(self, finished: Finished) -> None:
        """A connection is done with its message."""
        self._finished.append(finished)

    def note(self, note: Note) -> None:
        """Something else is to be written."""
        self._notes.append(note)

    def take(self) -> Portion:
        """All that waits; one by one after something of it was refused."""
        if self._to_go_alone:
            self._to_go_alone -= 1
            if self._finished:
                return Portion(finished=(self._finished.pop(0),))
            return Portion(notes=(self._notes.pop(0),))
        portion = Portion(tuple(self._finished), tuple(self._notes))
        self._finished, self._notes = [], []
        return portion

    def put_back(self, portion: Portion) -> None:
        """The database could not be written: all of it goes first the next time."""
        self._finished[:0] = portion.finished
        self._notes[:0] = portion.notes
        if self._to_go_alone:
            self._to_go_alone += 1

    def refused(self, portion: Portion, error: Refused) -> Claim | None:
        """The database will never take `portion`.

        Returns the claim whose verdicts are given up, if it comes to that.
        """
        if len(portion) != 1:
            self.put_back(portion)
            self._to_go_alone = len(self)
            return None
        if portion.notes:
            log.error("%s; what the relay did is not recorded", error)
            return None
        (done,) = portion.finished
        if done != done.plain:
            log.error(
                "id=%d: %s; its verdicts go without the relay's words",
                done.claim.id,
                error,
            )
            _tell_of_unwritten(done)
            self._finished.insert(0, done.plain)
            self._to_go_alone += 1
            return None
        log.critical(
            "id=%d: %s; its verdicts are lost: it stays claimed until this daemon "
            "ends, then comes back as a possible duplicate",
            done.claim.id,
            error,
        )
        done.over()
        return done.claim


def _tell_of_unwritten(done: Finished) -> None:
    for notification in done.settlement.notifications if done.settlement else ():
        log.error(
            "id=%d notification for <%s> is not written: %s",
            done.claim.id,
            one_line(", ".join(notification.recipients)),
            one_line(notification.subject),
        )
