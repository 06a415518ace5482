"""What a daemon writes of its own accord, as a relay got it."""

from __future__ import annotations

from email import message_from_bytes, policy

from waiting import wait_until

from collective.maildrophost.engine.queue import State, list_messages


def letter(received):
    return message_from_bytes(received.content, policy=policy.default)


def to(relay, address):
    """What the relay was given for the address."""
    return [each for each in relay.accepted if each.recipients == [address]]


def wait_until_idle(site):
    """Until all mail has come to its end: nothing more will be sent."""

    def idle():
        with site.queue.read() as tx:
            records = list_messages(tx)
        return all(each.state in (State.SENT, State.FAILED) for each in records)

    wait_until(idle, what="the end of all mail")
