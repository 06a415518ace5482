"""Every crash point: a durable step, what goes on at it, and who is killed there.

A new durable step fails test_points.py until it has a point here, or a reason to have
none in exempt.py. Each point is a scene, which a test of its group sets up, dies in,
and holds against the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from proof.crash.killing import AFTER, BEFORE, Plan

EVERYBODY = ("daemon", "books", "both")
"""The process that sends, its child that writes, and both of them."""


@dataclass(frozen=True)
class Point:
    """A step in a scene; see Plan for the rest."""

    step: str
    scene: str
    doing: tuple[str, ...] = ()
    who: tuple[str, ...] = ("both",)
    nth: int = 1
    unheard: tuple[str, ...] = ()

    def plans(self) -> Iterator[tuple[str, Plan]]:
        """Each way to die here, with a name."""
        what = " and ".join(self.doing) or self.step
        again = f" ({self.nth})" if self.nth > 1 else ""
        for who in self.who:
            for when in (BEFORE, AFTER):
                killed = "" if who == "both" else f", {who} alone"
                yield (
                    f"{self.scene}: {when} {what}{again}{killed}",
                    Plan(self.step, when, self.doing, who, self.nth, self.unheard),
                )


def ways(points: Iterable[Point]) -> list[tuple[str, str, Plan]]:
    """Name, scene and plan of each way to die at these points."""
    return [(name, each.scene, plan) for each in points for name, plan in each.plans()]


PRUNE = "engine.daemon.housekeeping.Housekeeping._prune_some"
BOOKS = "engine.delivery.books.write"
HEARTBEAT = "engine.daemon.heartbeat.Heartbeat."

LEDGER = (
    [
        Point(BOOKS, scene, doing, EVERYBODY)
        for scene, doing in (
            ("delivery", ("claim",)),
            ("delivery", ("settle sent",)),
            ("deferral", ("settle deferred",)),
            ("refusal", ("settle failed", "enqueue")),
            ("relay at fault", ("pause", "give_back")),
        )
    ]
    + [
        Point(BOOKS, scene, doing)
        for scene, doing in (
            ("two recipients", ("settle sent", "settle failed")),
            ("expiry", ("settle expired", "enqueue")),
            ("delay", ("settle warned", "enqueue")),
            ("relay at fault", ("may_probe", "claim")),
            ("relay at fault", ("clear",)),
            ("probe in vain", ("settle deferred", "end_probe")),
            ("login wanted", ("pause", "give_back_last")),
            ("relay at fault for long", ("mark_told", "enqueue")),
            ("pace", ("take_turn", "claim")),
        )
    ]
    + [
        Point(BOOKS, "unheard", ("give_back_unheard",), unheard=("claim",)),
        Point(BOOKS, "many", ("claim",), EVERYBODY, nth=4),
    ]
)
"""The transactions of the ledger, written by the daemon's child."""

DAEMON = [
    Point(HEARTBEAT + "start", "delivery", ("register",)),
    Point(
        HEARTBEAT + "start", "another has died", ("put_off_large", "retire", "recover")
    ),
    Point(HEARTBEAT + "start", "another has vanished", ("recover_ownerless",)),
    Point(HEARTBEAT + "_beat", "in flight", ("renew",), EVERYBODY),
    Point(HEARTBEAT + "_try_to_take_over", "in flight"),
    Point(HEARTBEAT + "stop", "stopping", ("retire",)),
    Point(PRUNE, "history", ("prune",)),
    Point(PRUNE, "old key", ("prune_files",)),
    Point(PRUNE, "old batch", ("prune",)),
    Point("engine.intake.scan.Intake._take", "dropped file", ("take_file",)),
    Point("engine.intake.removal.Removal.remove unlink", "dropped file"),
    Point("engine.intake.removal.Removal.forget", "dropped file", ("forget_files",)),
    Point("engine.queue.setback.pull_back", "clock set back"),
    Point("engine.queue.fastclocks.pull_back_new", "clock ahead"),
    *(
        Point(f"engine.queue.sqlite.housekeeping.{each}", "room to spare")
        for each in (
            "_step PRAGMA wal_checkpoint",
            "_truncate_wal PRAGMA wal_checkpoint 1",
            "_truncate_wal PRAGMA wal_checkpoint 2",
            "_give_back PRAGMA incremental_vacuum",
        )
    ),
]
"""What else a daemon writes."""

DIALOGUE = [
    Point(f"smtp {what}", "delivery", (), EVERYBODY)
    for what in ("send mail", "expect data", "send content", "expect end")
] + [
    Point(f"smtp {what}", "delivery")
    for what in ("expect ehlo", "expect mail", "expect rcpt")
]
"""Moments of a conversation; `expect end` is the reply to the last dot."""

_SPILL = "transaction.datamanager.SpoolDataManager._prepare_unwritten"
_VOTE = "transaction.datamanager.SpoolDataManager._prepare_for"
_FINISH = "transaction.datamanager.SpoolDataManager._finish_batch"
_ABORT = "transaction.datamanager.SpoolDataManager._discard_batch"
ZOPE = [
    Point(_VOTE, "page", ("remember_batch", "prepare")),
    Point("ZODB finish", "page"),
    Point(_FINISH, "page", ("release",)),
    *(Point(_SPILL, "newsletter", ("prepare",), nth=nth) for nth in (1, 2)),
    Point(_VOTE, "newsletter", ("remember_batch", "prepare")),
    Point("ZODB finish", "newsletter"),
    Point(_FINISH, "newsletter", ("release",)),
    Point(_SPILL, "broken_newsletter", ("prepare",), nth=2),
    Point(_ABORT, "broken_newsletter", ("discard",)),
    Point(_VOTE, "refused_page", ("prepare",)),
    Point(_ABORT, "refused_page", ("discard",)),
    Point(
        "transaction.datamanager.SpoolDataManager.roll_back",
        "second_thoughts",
        ("discard",),
    ),
    Point("ZODB finish", "second_thoughts"),
    Point(_FINISH, "second_thoughts", ("release",)),
]
"""Transactions that change ZODB: it tells whether they were committed."""

DOUBT = [
    *(
        Point("engine.actions.end_batch", scene, ("release",))
        for scene in ("committed", "committed newsletter", "unreleased", "several")
    ),
    *(
        Point("engine.actions.end_batch", scene, ("discard",))
        for scene in ("voted", "spilled", "refused", "undeleted", "several")
    ),
]
"""A Zope that decides about batches in doubt; the scenes are in test_doubt.py."""

NO_ZODB = [
    Point(
        "transaction.datamanager.SpoolDataManager._queue_all",
        "mail_alone",
        ("enqueue",),
    ),
    Point("transaction.sending.send_now", "mail_at_once", ("enqueue",)),
]
"""Mail whose fate our own commit decides."""

OPERATOR = [
    Point("engine.actions.act", "page retry", ("retry_messages",)),
    Point("engine.actions.act", "page hold", ("hold_messages",)),
    Point("engine.actions.act", "page release", ("release_messages",)),
    Point("engine.actions.act", "page delete", ("delete_messages",)),
    Point("engine.actions.end_batch", "page release batch", ("release",)),
    Point("engine.actions.end_batch", "page discard batch", ("discard",)),
    Point("engine.actions.act_on_lane", "page hold lane", ("hold_lane",)),
    Point("engine.actions.act_on_lane", "page release lane", ("release_lane",)),
]
"""What a person does in a page."""

COMMANDS = [
    Point("engine.cli.send._enqueue", "send", ("enqueue",)),
    Point("engine.actions.act", "retry", ("retry_messages",)),
    Point("engine.actions.act", "hold", ("hold_messages",)),
    Point("engine.actions.act", "release", ("release_messages",)),
    Point("engine.actions.act", "delete", ("delete_messages",)),
    Point("engine.actions.act_on_lane", "hold lane", ("hold_lane",)),
    Point("engine.actions.act_on_lane", "release lane", ("release_lane",)),
    Point("engine.cli.checks.queue._opens", "check"),
]
"""What a person does with `maildropctl`."""

TAKEOVER = [
    Point("engine.takeover.taking.take", "spool", ("import_mail",)),
    Point("engine.takeover.taking._remove unlink", "spool"),
    Point("engine.takeover.taking.take", "maildir", ("import_mail",)),
    *(
        Point("engine.takeover.taking._remove unlink", "maildir", nth=nth)
        for nth in (1, 2)
    ),
    Point("engine.queue.transfer._take_back", "other queue"),
    Point("engine.queue.transfer.transfer", "other queue", ("hold_lane",)),
    *(Point(f"engine.queue.transfer._move {n}", "other queue") for n in (1, 2, 3)),
]
"""Mail of another queue, imported."""

OPENING = [
    Point("engine.queue.sqlite.database._make_file open", "new queue"),
    Point("engine.queue.sqlite.database._use_wal PRAGMA journal_mode", "new queue"),
    Point("engine.queue.store._bring_up_to_date", "new queue"),
    Point("engine.queue.store._bring_up_to_date", "old queue"),
]
"""A queue that is made, or brought to this version's schema."""

BACKUP = [
    *(
        Point(f"engine.queue.sqlite.backup.{each}", "backup")
        for each in (
            "_alone_with open",
            "_make open",
            "_copy backup",
            "_check PRAGMA journal_mode",
            "_make link",
            "_make unlink",
            "_alone_with unlink",
        )
    ),
    Point("engine.queue.sqlite.backup._remove_unfinished unlink", "another backup"),
]

TOKENS = [
    *(
        Point(f"engine.tokens.replacing.{each}", "token")
        for each in ("_new_beside mkstemp", "write replace")
    ),
    Point("engine.tokens.replacing._remove_unless_locked unlink", "another token"),
]
"""A token that is lost stops all mail."""

POINTS = [*LEDGER, *DAEMON, *DIALOGUE, *ZOPE, *DOUBT, *NO_ZODB, *OPERATOR]
POINTS += [*COMMANDS, *TAKEOVER, *OPENING, *BACKUP, *TOKENS]
