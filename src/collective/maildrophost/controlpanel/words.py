"""The words of the queue, translated; the codes of the engine never reach a reader."""

from __future__ import annotations

from typing import Any

from collective.maildrophost.engine.message import Lane
from collective.maildrophost.engine.queue import RecipientState, Sort, State
from collective.maildrophost.i18n import _

STATES = {
    State.PREPARED: _("state_prepared", default="Prepared"),
    State.QUEUED: _("state_queued", default="Queued"),
    State.DEFERRED: _("state_deferred", default="Deferred"),
    State.SENDING: _("state_sending", default="Sending"),
    State.HELD: _("state_held", default="Held"),
    State.FAILED: _("state_failed", default="Failed"),
    State.SENT: _("state_sent", default="Sent"),
}

STATES_EXPLAINED = {
    State.PREPARED: _(
        "state_prepared_explained",
        default="Its transaction has not ended, or it is being moved to another queue.",
    ),
    State.QUEUED: _("state_queued_explained", default="Waits for its first attempt."),
    State.DEFERRED: _(
        "state_deferred_explained", default="Was tried, waits for the next attempt."
    ),
    State.SENDING: _("state_sending_explained", default="A daemon is delivering it."),
    State.HELD: _("state_held_explained", default="Held back until it is released."),
    State.FAILED: _(
        "state_failed_explained", default="At least one recipient failed for good."
    ),
    State.SENT: _(
        "state_sent_explained", default="Every recipient was accepted by the relay."
    ),
}

RECIPIENT_STATES = {
    RecipientState.PENDING: _("recipient_pending", default="Waiting"),
    RecipientState.DEFERRED: _("recipient_deferred", default="Deferred"),
    RecipientState.SENT: _("recipient_sent", default="Sent"),
    RecipientState.FAILED: _("recipient_failed", default="Failed"),
}

LANES = {
    Lane.INTERACTIVE: _("lane_interactive", default="Interactive"),
    Lane.NORMAL: _("lane_normal", default="Normal"),
    Lane.BULK: _("lane_bulk", default="Bulk"),
}

SORTS = {
    Sort.DUE: _("sort_due", default="Due"),
    Sort.CREATED: _("sort_created", default="Queued at"),
    Sort.SENDER: _("sort_sender", default="Sender"),
    Sort.SUBJECT: _("sort_subject", default="Subject"),
    Sort.SIZE: _("sort_size", default="Size"),
    Sort.ATTEMPTS: _("sort_attempts", default="Attempts"),
}

BADGES = {
    "prepared": "text-bg-warning",
    "queued": "text-bg-info",
    "pending": "text-bg-info",
    "deferred": "text-bg-warning",
    "sending": "text-bg-primary",
    "held": "text-bg-secondary",
    "failed": "text-bg-danger",
    "sent": "text-bg-success",
}
"""Bootstrap's class for the badge of a state or an outcome; the word says it too."""
QUIET = "maildrop-quiet"
"""The class for the badge of a state that no message is in."""


def state(of_message: State) -> dict[str, Any]:
    """How a message's state is shown."""
    return {"word": STATES[of_message], "badge": BADGES[of_message.value]}


def recipient_state(of_recipient: RecipientState) -> dict[str, Any]:
    """How the state of a recipient, or the outcome of an attempt, is shown."""
    word, badge = RECIPIENT_STATES[of_recipient], BADGES[of_recipient.value]
    return {"word": word, "badge": badge}
