"""Notifications about an attempt, and what is read of them."""

from __future__ import annotations

from email import message_from_bytes, policy

from collective.maildrophost.engine.delivery.judge import settlement
from collective.maildrophost.engine.delivery.notifications import NotificationPolicy
from collective.maildrophost.engine.delivery.retry import RetryPolicy
from collective.maildrophost.engine.verdict import Outcome, Verdict

NOW = 1_800_000_000.0
HOST = "mail.x.org"
RETRY = RetryPolicy(60.0, 4000.0, 432000.0)
NOTIFY = NotificationPolicy(HOST, True, 14400.0, "postmaster@x.org")


def failed(reply):
    return Verdict(Outcome.FAILED, reply)


def deferred(reply):
    return Verdict(Outcome.DEFERRED, reply)


NO = failed("550 5.1.1 nobody here")


def notification(claim, *verdicts, relay="r.x.org:25", age=0.0):
    now = claim.since + age
    judged = settlement(claim, relay, verdicts, False, RETRY, NOTIFY, now, 0.0)
    (found,) = judged.notifications
    return found


def parsed(message):
    return message_from_bytes(message.content, policy=policy.default)


def parts(message):
    words, status, headers = parsed(message).iter_parts()
    return words.get_content(), status.get_payload(), headers.get_content()


def fields(message, number=1):
    """The fields of a recipient (0: of the message) in its delivery status."""
    return dict(parts(message)[1][number].items())
