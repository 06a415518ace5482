"""A report about one attempt at one message: multipart/report (RFC 3464, RFC 6522)."""

from __future__ import annotations

from collections.abc import Sequence

from ...message import Message
from ..attempt import Attempt, Judged
from .fields import field_date, message_id_field
from .kinds import Kind
from .notification import notification, part, text_part
from .original import headers, subject
from .status import delivery_status, relay_host, relay_said


def report(
    attempt: Attempt, recipients: Sequence[Judged], kind: Kind, to: str, host: str
) -> Message:
    """Words for people; then the recipients, the status, the original's headers."""
    claim, given_up = attempt.claim, field_date(attempt.given_up)
    words = kind.words.format(host=host, id=claim.id, given_up=given_up)
    text = f"{words}\n{_about(attempt)}\n{_replies(attempt, recipients)}"
    body = part("multipart/report; report-type=delivery-status")
    body.attach(text_part("text/plain; charset=utf-8", text.encode("utf-8", "replace")))
    body.attach(delivery_status(attempt, recipients, host))
    body.attach(text_part("text/rfc822-headers", headers(claim.content)))
    moment = int(attempt.now * 1000)
    return notification(
        body,
        kind.lane,
        to=to,
        subject=kind.title,
        auto_submitted="auto-replied",
        # No other run of a daemon has this owner, so no other one has this id.
        message_id=f"<{kind.name}.{claim.id}.{moment}.{claim.owner}@{host}>",
        about=message_id_field(claim.header_id),
        host=host,
        now=attempt.now,
    )


def _about(attempt: Attempt) -> str:
    claim = attempt.claim
    return (
        f"    Subject: {subject(claim.content) or '(none)'}\n"
        f"    Queued: {field_date(claim.created)}\n"
        f"    Number in the queue: {claim.id}\n"
    )


def _replies(attempt: Attempt, recipients: Sequence[Judged]) -> str:
    relay = relay_host(attempt.relay)
    return "\n".join(
        f"<{each.recipient.address}>\n"
        f"    {each.verdict.reply}\n"
        + (f"    (said by {relay})\n" if relay_said(each) and relay else "")
        for each in recipients
    )
