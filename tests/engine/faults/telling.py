"""What queue, history and log say of a message; they must say the same."""

from __future__ import annotations

import re
import time

from waiting import wait_until

from collective.maildrophost.engine.queue import (
    RecipientState,
    State,
    all_daemons,
    attempts,
    get_message,
    stats,
)

_LINE = re.compile(
    r' id=(?P<id>\d+) (?P<outcome>\w+) to=<(?P<address>[^>]*)> .* reply="(?P<reply>.*)"'
)


def told(site, id):
    """Every attempt at every recipient: ("b", "deferred", "450 4.2.0 later")."""
    # A line is written after the commit, and more may follow both.
    wait_until(lambda: _logged(site, id) == _history(site, id), what="the same in both")
    # All of one moment, as deliveries go on.
    with site.queue.read() as tx:
        recipients, history = get_message(tx, id).recipients, _attempts(tx, id)
    for recipient in recipients:
        own = [each for each in history if each[0] == recipient.address]
        assert recipient.attempts == len(own)
        if own:
            assert (recipient.state.value, recipient.reply) == own[-1][1:]
        else:
            assert recipient.state is RecipientState.PENDING
    return [
        (address.partition("@")[0], outcome, reply)
        for address, outcome, reply in history
    ]


def _history(site, id):
    with site.queue.read() as tx:
        return _attempts(tx, id)


def _attempts(tx, id):
    return [(each.address, each.outcome, each.reply) for each in attempts(tx, id)]


def _logged(site, id):
    matches = [_LINE.search(line) for line in site.log.splitlines()]
    mine = [each for each in matches if each and each["id"] == id]
    return [each.group("address", "outcome", "reply") for each in mine]


def assert_untouched(site, *ids):
    """Still due as it was queued, with nothing counted against it."""
    for id in ids:
        record = site.message(id)
        assert record.state is State.QUEUED
        assert record.due == record.created
        assert (record.attempts, record.possible_duplicate) == (0, False)
        assert told(site, id) == []
        assert all(each.reply == "" for each in record.recipients)


def assert_relay_fault(site, words, *ids, error=False):
    """The relay is paused for this reason, everybody can see it, no mail is blamed."""
    (paused,) = site.pauses
    assert words in paused.fault
    assert paused.paused_until > paused.since
    with site.queue.read() as tx:
        shown = stats(tx, time.time(), all_daemons(tx)).as_json()["relay"]
    assert shown["fault"] == paused.fault
    assert len(site.log_lines(" ERROR ")) == int(error)
    level = "ERROR" if error else "WARNING"
    assert any(f" {level} " in line for line in site.log_lines(words))
    assert_untouched(site, *ids)
