"""The part of a report that programs read: message/delivery-status (RFC 3464)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from email.message import Message as Part

from ...verdict import Outcome
from ..attempt import Attempt, Judged
from .fields import field_date, field_text, mta_field, recipient_field
from .notification import part

LIFETIME_OVER = "4.4.7"  # RFC 3463 section 3.5: delivery time expired

_ACTIONS = {Outcome.FAILED: "failed", Outcome.DEFERRED: "delayed"}
_CLASSES = {Outcome.FAILED: "5", Outcome.DEFERRED: "4"}
# A relay's words start with a reply code, ours never do.
_RELAY_REPLY = re.compile(r"[245][0-9]{2}(?= |\Z)")
_ENHANCED = re.compile(r"(?:[245][0-9]{2} )?([245])(\.[0-9]{1,3}\.[0-9]{1,3})(?= |\Z)")


def delivery_status(attempt: Attempt, recipients: Sequence[Judged], host: str) -> Part:
    """The fields of the message, then those of each recipient."""
    status = part("message/delivery-status")
    blocks = [_message_fields(attempt, host)]
    blocks += [_recipient_fields(attempt, each) for each in recipients]
    status.set_payload([_block(fields) for fields in blocks])
    return status


def status_code(judged: Judged) -> str:
    """The relay's enhanced status where it agrees with the verdict (RFC 3463)."""
    if judged.expired:
        return LIFETIME_OVER
    digit = _CLASSES[judged.verdict.outcome]
    found = _ENHANCED.match(judged.verdict.reply)
    detail = found[2] if found and found[1] == digit else ".0.0"
    return digit + detail


def relay_said(judged: Judged) -> bool:
    """Whether the reply is the relay's own, not our words for what happened."""
    return _RELAY_REPLY.match(judged.said.reply) is not None


def relay_host(relay: str) -> str:
    """The host in `host:port`; "" where no relay was reached."""
    host, colon, _ = relay.rpartition(":")
    return host.strip("[]") if colon else ""


def _message_fields(attempt: Attempt, host: str) -> Iterable[tuple[str, str]]:
    yield "Reporting-MTA", mta_field(host)
    yield "X-Maildrop-Queue-Id", str(attempt.claim.id)
    yield "Arrival-Date", field_date(attempt.claim.created)


def _recipient_fields(attempt: Attempt, judged: Judged) -> Iterable[tuple[str, str]]:
    yield "Final-Recipient", recipient_field(judged.recipient.address)
    yield "Action", _ACTIONS[judged.verdict.outcome]
    yield "Status", status_code(judged)
    remote = relay_host(attempt.relay)
    if remote:
        yield "Remote-MTA", mta_field(remote)
    if relay_said(judged):
        yield "Diagnostic-Code", f"smtp; {field_text(judged.said.reply)}"
    yield "Last-Attempt-Date", field_date(attempt.now)
    if judged.verdict.outcome is Outcome.DEFERRED:
        yield "Will-Retry-Until", field_date(attempt.given_up)


def _block(fields: Iterable[tuple[str, str]]) -> Part:
    block = Part()
    for name, value in fields:
        block[name] = value
    return block
