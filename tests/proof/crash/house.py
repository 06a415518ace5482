"""A site whose programs are born in the nursery, and die where a test says."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine.conftest import Site
from proof.crash.exempt import READS
from proof.crash.killing import Plan
from waiting import PATIENCE_SECONDS, wait_until

from collective.maildrophost.engine.large import LARGE_OCTETS
from collective.maildrophost.engine.queue import (
    MessageRecord,
    State,
    content,
    list_messages,
)

TESTS = Path(__file__).parents[2]
CLI = "collective.maildrophost.engine.cli:main"
SHORT: dict[str, Any] = {
    "engine.daemon.scanner.QUIET_SECONDS": 0.0,
    "engine.daemon.scanner.SCAN_SECONDS": 0.05,
    "engine.daemon.service.HEARING_SECONDS": 0.0,
    "engine.delivery.ledger.RETRY_SECONDS": 0.05,
    "engine.intake.scan.QUIET_SECONDS": 0.0,
    "engine.takeover.taking.QUIET_SECONDS": 0.0,
}
RESTLESS = (State.QUEUED, State.DEFERRED, State.SENDING)
"""Mail that a daemon still has work with."""


class Nursery:
    """The process that forks the programs under test; see nursery.py."""

    def __init__(self) -> None:
        path = os.pathsep.join([str(TESTS), str(TESTS.parent), *sys.path])
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("nursery.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
            text=True,
        )
        self._answers: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        """End it, once all that it forked has ended."""
        self._process.stdin.close()
        self._process.wait(PATIENCE_SECONDS)

    def start(self, **order: Any) -> Child:
        """Fork a program."""
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return Child(int(self._answer()), self._answer)

    def _answer(self) -> str:
        answer = self._answers.get(timeout=PATIENCE_SECONDS)
        assert answer, "the nursery has died"
        return answer

    def _listen(self) -> None:
        for line in self._process.stdout:
            self._answers.put(line)
        self._answers.put("")


class Child:
    """A program that runs."""

    def __init__(self, pid: int, answer: Any) -> None:
        self.pid = pid
        self._answer = answer
        self._status: int | None = None

    def wait(self) -> int:
        """Its status, once it and its children have ended."""
        if self._status is None:
            try:
                self._status = int(self._answer())
            except queue.Empty:
                self.kill()
                raise AssertionError("it has not died where it should") from None
        return self._status

    def kill(self) -> None:
        """End it, and wait for the end of all of it."""
        if self._status is None:
            os.kill(self.pid, signal.SIGKILL)
            self._status = int(self._answer())

    def stop(self) -> int:
        """End it as an operator does."""
        os.kill(self.pid, signal.SIGTERM)
        return self.wait()


class House(Site):
    """A site of the nursery."""

    def __init__(self, nursery: Nursery, home: Path, queue: str | None = None) -> None:
        super().__init__(home, queue)
        self.nursery = nursery
        self.constants = dict(SHORT)
        self.died = home / "died"

    @property
    def output(self) -> str:
        """What its programs have printed."""
        path = self.home / "output"
        return path.read_text() if path.exists() else ""

    def begin(self, run: str, *arguments: Any, plan: Plan | None = None) -> Child:
        """Start a program, which dies as `plan` says."""
        return self.nursery.start(
            home=str(self.home),
            run=run,
            arguments=arguments,
            plan=asdict(plan) if plan else None,
            constants=self.constants,
            environ={"MAILDROP_CONFIG": str(self.path)},
        )

    def do(self, run: str, *arguments: Any) -> None:
        """Run a program to its end, which is a good one."""
        assert self.begin(run, *arguments).wait() == 0, self.output + self.log

    def die(self, plan: Plan, run: str, *arguments: Any) -> None:
        """Run a program to the moment at which `plan` kills it."""
        self.died.unlink(missing_ok=True)
        status = self.begin(run, *arguments, plan=plan).wait()
        assert self.died.exists(), f"never got there: {self.output}{self.log}"
        died = json.loads(self.died.read_text())
        assert "unknown" not in died, died
        assert (died["step"], died["when"]) == (plan.step, plan.when)
        assert set(died["doing"]) >= set(plan.doing)
        if not self.queue.shared:  # a server does not tell who has changed rows
            assert not READS & set(died["doing"]), "these change something: exempt.py"
        if plan.who == "books":
            assert status > 0, "a daemon without its child ends, and says so"
        else:
            assert status == -signal.SIGKILL

    def ctl_begin(self, *arguments: str) -> tuple[str, list[str]]:
        """How `maildropctl` is run here."""
        return CLI, ["--config", str(self.path), *arguments]

    def die_running(self, plan: Plan, *arguments: str) -> None:
        """Run `maildropctl` to the moment at which `plan` kills it."""
        self.die(plan, *self.ctl_begin(*arguments))

    def run_ctl(self, *arguments: str) -> None:
        """Run `maildropctl` to its end, which is a good one."""
        self.do(*self.ctl_begin(*arguments))

    def messages(self) -> list[MessageRecord]:
        """All that the queue has a record of."""
        with self.queue.read() as tx:
            return list_messages(tx) + list_messages(tx, State.SENT)

    def has_content(self, message: MessageRecord) -> bool:
        """Whether it could be sent."""
        with self.queue.read() as tx:
            return content(tx, message.id) is not None

    def settle_down(self) -> None:
        """Run a daemon until it has nothing to do any more."""
        daemon = self.begin(*self.ctl_begin("run"))
        try:
            rests = lambda: self._serves(daemon.pid) and self._rests()  # noqa: E731
            wait_until(rests, what="that nothing is left to do")
            assert daemon.stop() == 0, self.output + self.log
        finally:
            daemon.kill()

    def _rests(self) -> bool:
        dropped = self.home / "spool"
        files = list(dropped.iterdir()) if dropped.exists() else []
        restless = [
            each
            for each in self.messages()
            if each.state in RESTLESS and not _is_put_off(each)
        ]
        return not restless and not files

    def _serves(self, pid: int) -> bool:
        # From its first heartbeat on, signals wait until it can heed them.
        return any(each.pid == pid for each in self.daemons)


def _is_put_off(message: Any) -> bool:
    """Large mail that two daemons had when they were killed: it waits for a minute."""
    large = message.size > LARGE_OCTETS and message.possible_duplicate
    return large and message.due > time.time()
