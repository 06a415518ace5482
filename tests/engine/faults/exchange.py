"""A message given to a daemon that runs, for a relay that follows a script."""

from __future__ import annotations

import time
from dataclasses import dataclass

from engine.faults.telling import told
from servers.scripted import Conversation, Received
from waiting import wait_until

from collective.maildrophost.engine.doorbell import ring
from collective.maildrophost.engine.message import compose
from collective.maildrophost.engine.queue import (
    MessageRecord,
    State,
    delete_messages,
    doorbells,
    list_messages,
)

COME = "UPDATE maildrop_schedule SET due = ? WHERE message_id = ? AND owner IS NULL"
"""The time of the next attempt has come."""


@dataclass(frozen=True)
class Outcome:
    """What became of the message, and what the relay saw of it."""

    record: MessageRecord
    told: list[tuple[str, str, str]]
    conversations: list[Conversation]
    accepted: list[Received]

    @property
    def commands(self) -> list[str]:
        return [each for talk in self.conversations for each in talk.commands]

    @property
    def state(self) -> str:
        return self.record.state.value


class Exchange:
    """``exchange({"RCPT:b@x.org": "550 no"}, "b@x.org", "c@x.org")``."""

    def __init__(self, site, relay):
        self.site = site
        self.relay = relay

    def __call__(self, answers, *recipients, content="body\n", **script):
        """The outcome of the first attempt at a message."""
        self.begin(answers, *recipients, content=content, **script)
        return self._after(1)

    def begin(self, answers, *recipients, content="body\n", **script):
        """The same, without waiting for it."""
        self.relay.follow(answers, **script)
        (self.id,) = self.site.send(self.message(*recipients, content=content))

    def message(self, *recipients, content="body\n"):
        text = content if isinstance(content, bytes) else f"Subject: x\n\n{content}"
        everybody = recipients or ("b@example.org",)
        return compose(text, "a@example.org", everybody, now=time.time())

    def again(self):
        """The outcome of the next attempt at it, with the script as it stands."""
        tries = self.site.message(self.id).attempts
        with self.site.queue.write() as tx:
            tx.exec_driver_sql(COME, (time.time(), self.id))
            bells = doorbells(tx)
        ring(bells)
        return self._after(tries + 1)

    def forget(self):
        """Delete every message, and what the relay remembers."""
        self.relay.follow()
        with self.site.queue.write() as tx:
            everything = [each for state in State for each in list_messages(tx, state)]
            delete_messages(tx, [each.id for each in everything])
        self.relay.conversations.clear()

    def _after(self, attempts):
        wait_until(
            lambda: self.site.message(self.id).attempts >= attempts,
            what="the verdict",
        )
        return Outcome(
            self.site.message(self.id),
            told(self.site, self.id),
            list(self.relay.conversations),
            self.relay.accepted,
        )
