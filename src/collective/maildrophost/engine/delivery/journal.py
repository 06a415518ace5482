"""The log lines of delivery: one for each recipient of each attempt."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from ..logfile import one_line, together
from ..verdict import Outcome
from .finished import Finished

log = logging.getLogger("maildrop.delivery")

# One mapping as the only argument: a formatter finds the parts by their names there.
ATTEMPT = (
    "id=%(id)s %(outcome)s to=<%(recipient)s> from=<%(sender)s> relay=%(relay)s "
    'attempt=%(attempt)d delay=%(delay).2f reply="%(reply)s"'
)
POSSIBLE_DUPLICATE = f"{ATTEMPT} possible_duplicate"

_LEVELS = {
    Outcome.SENT: logging.INFO,
    Outcome.DEFERRED: logging.WARNING,
    Outcome.FAILED: logging.ERROR,
}


def write(settled: Iterable[Finished], now: float) -> None:
    """Log what was settled; `now` gives the delay since a message was queued."""
    with together(log):
        for finished in settled:
            _write(finished, now)


def _write(finished: Finished, now: float) -> None:
    settlement, claim = finished.settlement, finished.claim
    if settlement is None:
        log.debug("id=%d given back untried", claim.id)
        return
    if finished.recipients_lost:
        log.error(
            "id=%d: the queue names nobody to send it to, it is not sent", claim.id
        )
    if finished.dropped:
        log.warning(
            "id=%d: the claim was lost before its verdicts were written: %d deferrals "
            "or failures are not recorded",
            claim.id,
            finished.dropped,
        )
    concerned = (*claim.recipients, *claim.deferred)
    recipients = {each.position: each for each in concerned}
    for position, verdict in settlement.verdicts:
        recipient = recipients[position]
        parts = {
            "id": str(claim.id),
            "outcome": verdict.outcome.value,
            "recipient": one_line(recipient.address),
            "sender": one_line(claim.sender),
            "relay": settlement.relay,
            "attempt": recipient.attempts + 1,
            "delay": round(max(0.0, now - claim.created), 2),
            "reply": one_line(verdict.reply),
            "possible_duplicate": settlement.possible_duplicate,
        }
        text = POSSIBLE_DUPLICATE if settlement.possible_duplicate else ATTEMPT
        log.log(_LEVELS[verdict.outcome], text, parts)
    if finished.accepted:
        log.warning(
            "id=%d: acceptances of an earlier attempt came late: it counts as sent, "
            "and nobody is told otherwise",
            claim.id,
        )
    for notification in settlement.notifications:
        log.info(
            "id=%d notification for <%s>: %s",
            claim.id,
            one_line(", ".join(notification.recipients)),
            notification.subject,
        )
