"""Compares what a site has promised with what its relay and its queue have.

Mails are known by their subjects.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from proof.crash.house import House
from servers.scripted import Scripted

from collective.maildrophost.engine.queue import MessageRecord, State

MOST_IN_FLIGHT = 2
"""The connections of a daemon here; see conftest.py."""
SUBJECT = re.compile(rb"^Subject: *(.*?)\r?$", re.MULTILINE)


class Audit:
    """What the relay has accepted and what the queue has, at the end of a test."""

    def __init__(self, house: House, relay: Scripted) -> None:
        self._house = house
        self.records: dict[str, list[MessageRecord]] = {}
        for record in house.messages():
            self.records.setdefault(record.subject, []).append(record)
        self.accepted = Counter(
            (_subject(each.content), recipient)
            for each in relay.accepted
            for recipient in each.recipients
        )

    def sent(self, subject: str) -> int:
        """How often the recipient who has it most often has it."""
        return max(
            (n for (name, _), n in self.accepted.items() if name == subject), default=0
        )

    @property
    def all_sent(self) -> set[str]:
        """The subjects of all that the relay has accepted."""
        return {subject for subject, _ in self.accepted}

    @property
    def notifications(self) -> list[str]:
        """The subjects of what the daemon wrote about mail and relays."""
        return [
            record.subject
            for records in self.records.values()
            for record in records
            if record.origin == "notification" and not record.sender
        ]

    def check(self, promised: Iterable[str]) -> None:
        """Mail of committed transactions is accepted or in the queue, and no other.

        Twice goes only what was in flight, and is marked; a sender is told once.
        """
        for subject in promised:
            self._check_promised(subject)
        twice = {subject for (subject, _), n in self.accepted.items() if n > 1}
        assert len(twice) <= MOST_IN_FLIGHT, f"{twice} were not in flight"
        told = Counter(self.notifications)
        assert all(count == 1 for count in told.values()), told
        for (subject, recipient), count in self.accepted.items():
            self._check_accepted(subject, recipient, count)

    def _check_promised(self, subject: str) -> None:
        records = self.records.get(subject, [])
        assert len(records) == 1, f"{subject} is in the queue {len(records)} times"
        for each in records[0].recipients:
            if each.state.value == "sent":
                assert self.accepted[subject, each.address], f"{subject} is lost"
        if records[0].state is State.SENT:
            assert self.sent(subject), f"{subject} is lost"
        else:
            assert self._house.has_content(records[0]), f"{subject} is lost"

    def _check_accepted(self, subject: str, recipient: str, count: int) -> None:
        records = self.records.get(subject, [])
        assert records, f"{subject} came from nowhere"
        allowed = sum(1 + each.possible_duplicate for each in records)
        assert count <= allowed, (
            f"{subject} went {count} times to {recipient}, unmarked"
        )


def _subject(content: bytes) -> str:
    found = SUBJECT.search(content)
    assert found is not None
    return found[1].decode()
