"""What is written down about a relay's fault, with what the postmaster is told."""

from __future__ import annotations

from dataclasses import dataclass

from ..queue import RelayPause, Transaction, clear, enqueue, mark_told, pause
from .notifications import NotificationPolicy, relay_fault_lasts, relay_works_again


@dataclass(frozen=True)
class FaultBegan:
    """A fault was found, or goes on, at `now`."""

    paused: RelayPause
    notify: NotificationPolicy
    owner: str
    now: float

    def __call__(self, tx: Transaction) -> None:
        """Write the fault down; when it lasts, tell the postmaster if nobody has."""
        paused = self.paused
        pause(tx, paused)
        lasts = self.now - paused.since >= self.notify.tell_of_relay_after
        if lasts and self.notify.postmaster and mark_told(tx, paused.name):
            notification = relay_fault_lasts(paused, self.notify, self.owner, self.now)
            enqueue(tx, [notification], self.now, origin="notification")


@dataclass(frozen=True)
class FaultEnded:
    """The relay has taken mail at `now`; `paused_until` tells which fault is meant."""

    relay: str
    notify: NotificationPolicy
    owner: str
    now: float
    paused_until: float | None

    def __call__(self, tx: Transaction) -> None:
        """Forget the fault; tell a postmaster who was told of its beginning."""
        ended = clear(tx, self.relay, self.paused_until)
        if ended is not None and ended.told and self.notify.postmaster:
            notification = relay_works_again(ended, self.notify, self.owner, self.now)
            enqueue(tx, [notification], self.now, origin="notification")
