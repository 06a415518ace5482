"""The log lines of delivery: one for each recipient of each attempt."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from ..logfile import one_line, together
from ..verdict import Outcome
from .unsettled import Finished

log = logging.getLogger("maildrop.delivery")

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
    recipients = {each.position: each for each in claim.recipients}
    for position, verdict in settlement.verdicts:
        recipient = recipients[position]
        log.log(
            _LEVELS[verdict.outcome],
            'id=%d %s to=<%s> from=<%s> relay=%s attempt=%d delay=%.2f reply="%s"%s',
            claim.id,
            verdict.outcome.value,
            one_line(recipient.address),
            one_line(claim.sender),
            settlement.relay,
            recipient.attempts + 1,
            max(0.0, now - claim.created),
            one_line(verdict.reply),
            " possible_duplicate" if settlement.possible_duplicate else "",
        )
    for notification in settlement.notifications:
        log.info(
            "id=%d notification for <%s>: %s",
            claim.id,
            one_line(", ".join(notification.recipients)),
            notification.subject,
        )
