"""Why an action leaves a message alone, translated."""

from __future__ import annotations

from typing import Any

from collective.maildrophost.engine.queue import State
from collective.maildrophost.engine.queue.leftalone import (
    LeftAlone,
    NoSuchMessage,
    OtherState,
    StillRunning,
)
from collective.maildrophost.i18n import _, translated

# Whole clauses, since the translation of a single word depends on the clause it is in.
_IS = {
    State.PREPARED: _("is_prepared", default="is prepared"),
    State.QUEUED: _("is_queued", default="is queued"),
    State.DEFERRED: _("is_deferred", default="is deferred"),
    State.SENDING: _("is_sending", default="is sending"),
    State.HELD: _("is_held", default="is held"),
    State.FAILED: _("is_failed", default="is failed"),
    State.SENT: _("is_sent", default="is sent"),
}
_ONLY = {
    "retry": _("only_retried", default="only deferred, failed messages can be retried"),
    "hold": _("only_held", default="only queued, deferred messages can be held"),
    "release": _(
        "only_released", default="only held, prepared messages can be released"
    ),
    "delete": _(
        "only_deleted",
        default="only queued, deferred, prepared, held, failed, sent messages can be "
        "deleted",
    ),
}


def reason(why: LeftAlone, request: Any) -> str:
    """What `str(why)` says in English, in the reader's language."""
    if not isinstance(why, OtherState):
        return translated(_reason(why), request)
    mapping = {
        "state": translated(_IS[why.state], request),
        "only": translated(_ONLY[why.action], request),
    }
    other = _("other_state", default="${state}; ${only}", mapping=mapping)
    return translated(other, request)


def _reason(why: LeftAlone) -> Any:
    if isinstance(why, NoSuchMessage):
        return _("no_such_message", default="there is no such message")
    if isinstance(why, StillRunning):
        return _(
            "still_running",
            default="belongs to a transaction that still runs: it is released or "
            "deleted when that ends, with its process at the latest",
        )
    return _(
        "being_moved",
        default="is being moved to another queue: run 'import' again",
    )
