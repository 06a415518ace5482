"""Kills this daemon, or this Zope, at one moment of its life: a crash point.

Installed in a process after it was forked and before it does anything. It wraps what
the durable steps are made of, and asks at each whether this is where to die.
"""

from __future__ import annotations

import inspect
import json
import os
import pathlib
import signal
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

from proof.crash.steps import caller_is_ours, step_of

from collective.maildrophost.engine import queue as engine_queue
from collective.maildrophost.engine.queue import Queue, QueueError
from collective.maildrophost.engine.smtp.channel import Channel

OURS = "collective.maildrophost."
BEFORE, AFTER = "before", "after"


@dataclass(frozen=True)
class Plan:
    """Where to die: `before` or `after` a step, the `nth` time that it does all this.

    `doing` names operations of the queue that have changed rows in its transaction.
    `who` dies: "daemon", "books" (the child that writes), or "both". `unheard` names
    operations; before all that, the answer to one commit with them gets lost.
    """

    step: str
    when: str
    doing: tuple[str, ...] = ()
    who: str = "both"
    nth: int = 1
    unheard: tuple[str, ...] = ()


class Killer:
    """Watches the steps of this process, and of the child that it forks."""

    def __init__(self, plan: Plan, note: Path) -> None:
        self._plan = plan
        self._note = note
        self._daemon = os.getpid()
        self._left = plan.nth
        self._unheard = bool(plan.unheard)
        self._local = threading.local()

    def reached(self, step: str, when: str, doing: set[str]) -> None:
        """Die here if this is the moment; else return."""
        plan = self._plan
        if (step, when) != (plan.step, plan.when) or not doing >= set(plan.doing):
            return
        self._left -= 1
        if self._left == 0:
            self._write_note({"step": step, "when": when, "doing": sorted(doing)})
            self._kill()

    def loses(self, doing: set[str]) -> bool:
        """Whether nobody is to hear of a transaction that was committed."""
        if self._unheard and doing >= set(self._plan.unheard):
            self._unheard = False
            return True
        return False

    def changed(self, operation: str) -> None:
        """An operation has changed rows in the transaction of this thread."""
        self.doing.add(operation)

    @property
    def doing(self) -> set[str]:
        """What was done in the transaction of this thread."""
        if not hasattr(self._local, "doing"):
            self._local.doing = set()
        found: set[str] = self._local.doing
        return found

    def begin(self) -> None:
        """A transaction begins in this thread."""
        self._local.doing = set()

    def unknown(self, what: str) -> None:
        """The source does something durable that steps.py has not found."""
        self._write_note({"unknown": what})
        os.kill(os.getpid(), signal.SIGKILL)

    def _write_note(self, found: dict[str, Any]) -> None:
        # What is with the kernel outlives the process.
        self._note.write_text(json.dumps(found))

    def _kill(self) -> None:
        me = os.getpid()
        books = _children(self._daemon)
        doomed = {"daemon": [self._daemon], "books": books}
        doomed["both"] = [*books, self._daemon]
        victims = doomed[self._plan.who]
        for pid in victims:
            if pid != me:
                os.kill(pid, signal.SIGKILL)
        if me in victims:
            os.kill(me, signal.SIGKILL)
        while self._daemon in victims and os.getppid() == self._daemon:
            time.sleep(0.001)


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(each) for path in found for each in path.read_text().split()]


def install(plan: Plan, note: Path) -> None:
    """Wrap what durable steps of this process are made of."""
    killer = Killer(plan, note)
    _wrap_transactions(killer)
    _wrap_operations(killer)
    _wrap_files(killer)
    _wrap_databases(killer)
    _wrap_dialogue(killer)
    if "ZODB.FileStorage" in sys.modules:
        _wrap_zodb(killer)


def _wrap_transactions(killer: Killer) -> None:
    write = Queue.write

    @contextmanager
    def watched(self: Queue) -> Iterator[Any]:
        frame = sys._getframe(1)
        step = step_of(frame)
        if step is None and caller_is_ours(frame):
            killer.unknown(f"{frame.f_back.f_code.co_name} writes")
        with write(self) as tx:
            killer.begin()
            yield tx
            killer.reached(step, BEFORE, killer.doing)
        killer.reached(step, AFTER, killer.doing)
        if killer.loses(killer.doing):
            raise QueueError(self.name, "the answer to a commit got lost")

    Queue.write = watched


def _wrap_operations(killer: Killer) -> None:
    """Have every operation of the queue say when it has changed something."""
    watched = {
        operation: _watched(killer, name, operation)
        for name, operation in operations().items()
    }
    for module in [each for name, each in sys.modules.items() if name.startswith(OURS)]:
        tables = [each for each in vars(module).values() if isinstance(each, dict)]
        for table in (vars(module), *tables):
            for name, value in list(table.items()):
                if inspect.isfunction(value) and value in watched:
                    table[name] = watched[value]


def operations() -> dict[str, Callable[..., Any]]:
    """What the queue offers to do in a transaction."""
    offered = {name: getattr(engine_queue, name) for name in engine_queue.__all__}
    return {
        name: value
        for name, value in offered.items()
        if inspect.isfunction(value) and next(iter(_parameters(value)), "") == "tx"
    }


def _parameters(function: Callable[..., Any]) -> list[str]:
    return list(inspect.signature(function).parameters)


def _watched(
    killer: Killer, name: str, operation: Callable[..., Any]
) -> Callable[..., Any]:
    @wraps(operation)
    def call(tx: Any, *arguments: Any, **named: Any) -> Any:
        before = _changes(tx)
        answer = operation(tx, *arguments, **named)
        # A server does not tell; what it answers has to do.
        changed = bool(answer) if before is None else _changes(tx) != before
        if changed or (before is None and answer is None):
            killer.changed(name)
            if name == "settle":
                _tell_verdicts(killer, arguments[0])
        return answer

    return call


def _changes(tx: Any) -> int | None:
    """How many rows the connection has changed; None: that of a server."""
    return getattr(tx.connection.driver_connection, "total_changes", None)


def _tell_verdicts(killer: Killer, settlements: Any) -> None:
    for settlement in settlements:
        for _, verdict in settlement.verdicts:
            killer.changed(f"settle {verdict.outcome.value}")
            if verdict.reply.startswith("given up after"):
                killer.changed("settle expired")
        if settlement.warned:
            killer.changed("settle warned")


def _wrap_files(killer: Killer) -> None:
    for owner, names in (
        (os, ("unlink", "link", "replace", "open")),
        (pathlib.Path, ("unlink", "replace", "write_text", "touch")),
        (tempfile, ("mkstemp",)),
    ):
        for name in names:
            setattr(owner, name, _around(killer, getattr(owner, name)))


def _around(killer: Killer, call: Callable[..., Any]) -> Callable[..., Any]:
    """`call`, a crash point before and after it where the source makes it a step."""

    @wraps(call)
    def watched(*arguments: Any, **named: Any) -> Any:
        step = step_of(sys._getframe(1))
        if step is None:
            return call(*arguments, **named)
        killer.reached(step, BEFORE, set())
        answer = call(*arguments, **named)
        killer.reached(step, AFTER, set())
        return answer

    return watched


def _wrap_databases(killer: Killer) -> None:
    """Connections that the source makes itself, past the queue."""

    connect = sqlite3.connect

    def watched(*arguments: Any, **named: Any) -> sqlite3.Connection:
        factory = _stepping(killer, named.pop("factory", sqlite3.Connection))
        return connect(*arguments, factory=factory, **named)

    # SQLAlchemy's too: what is said of a new connection is a step.
    sqlite3.connect = sqlite3.dbapi2.connect = watched


def _stepping(
    killer: Killer, connections: type[sqlite3.Connection]
) -> type[sqlite3.Connection]:
    steps = ("execute", "executescript", "backup")
    around = {each: _around(killer, getattr(connections, each)) for each in steps}
    return type("Watched", (connections,), around)


def _wrap_dialogue(killer: Killer) -> None:
    """The conversation with the relay, which changes what the relay has."""
    for name in ("send", "expect"):
        setattr(Channel, name, _told(killer, name, getattr(Channel, name)))


def _told(killer: Killer, name: str, perform: Callable[..., Any]) -> Callable[..., Any]:
    async def watched(self: Channel, step: Any) -> Any:
        killer.reached(f"smtp {name} {step.phase}", BEFORE, set())
        answer = await perform(self, step)
        killer.reached(f"smtp {name} {step.phase}", AFTER, set())
        return answer

    return watched


def _wrap_zodb(killer: Killer) -> None:
    """The moment at which a transaction of Zope has happened."""
    from ZODB.FileStorage import FileStorage

    finish = FileStorage.tpc_finish

    def watched(self: Any, *arguments: Any) -> Any:
        killer.reached("ZODB finish", BEFORE, set())
        answer = finish(self, *arguments)
        killer.reached("ZODB finish", AFTER, set())
        return answer

    FileStorage.tpc_finish = watched
