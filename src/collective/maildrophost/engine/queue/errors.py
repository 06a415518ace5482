"""What can go wrong with the queue's database, in words an operator can act on."""

from __future__ import annotations

from ..errors import MaildropError
from ..wording import Wording, _


class QueueError(MaildropError):
    """The queue can't be used now; what was asked for has not happened.

    (With `Unheard` it may have.) `queue` names the database without any password,
    `reason` says why and what to do.
    """

    def __init__(self, queue: str, reason: Wording) -> None:
        self.queue = queue
        self.reason = reason
        super().__init__(
            _(
                "mail queue ${queue}: ${reason}",
                mapping={"queue": queue, "reason": reason},
            )
        )

    def __reduce__(self) -> tuple[type[QueueError], tuple[str, Wording]]:
        return type(self), (self.queue, self.reason)


class Unheard(QueueError):
    """The answer to a commit was lost: what was asked for has happened, or has not."""

    @property
    def caution(self) -> Wording:
        """What to tell a person, who might take it for a failure and do it twice."""
        return _(
            "It may have been done, look before you do it again: ${reason}",
            mapping={"reason": self.wording},
        )


class Refused(QueueError):
    """The database works, but will never take this: trying again is of no use."""


class NewerSchema(MaildropError):
    """The queue was made by a later version of this software."""

    def __init__(self, found: int, known: int) -> None:
        super().__init__(
            _(
                "its schema has version ${found}, this software knows up to ${known}: "
                "install the newer collective.maildrophost here, too",
                mapping={"found": found, "known": known},
            )
        )
