"""The health of the queue in one sentence, translated."""

from __future__ import annotations

from typing import Any

from collective.maildrophost.controlpanel import relaytext
from collective.maildrophost.controlpanel.moments import clock, number, span
from collective.maildrophost.engine.queue import Health, Reason
from collective.maildrophost.i18n import _, message, translated


def sentence(health: Health, request: Any, now: float) -> str:
    """What an administrator has to know first."""
    since = "" if health.since is None else clock(health.since, request, now)
    mapping = {
        "waiting": translated(_waiting(health, request), request),
        "relay": health.relay,
        "fault": translated(_fault(health), request),
        "since": since,
    }
    return translated(_sentence(health, mapping), request)


def _sentence(health: Health, mapping: dict[str, str]) -> Any:
    if health.reason is Reason.UNREADABLE:
        return _(
            "health_unreadable",
            default="Nobody can tell whether mail is moving: ${fault}",
            mapping=mapping,
        )
    if health.moving:
        return _(
            "health_fine",
            default="Mail is moving: ${waiting}, relay ${relay} fine",
            mapping=mapping,
        )
    if health.reason is Reason.RELAY:
        return _(
            "health_relay",
            default="Mail has not been moving since ${since}: relay ${relay}: "
            "${fault}; ${waiting}",
            mapping=mapping,
        )
    if health.since is not None:
        return _(
            "health_no_daemon_since",
            default="Mail has not been moving since ${since}: no daemon works on the "
            "queue; ${waiting}",
            mapping=mapping,
        )
    return _(
        "health_no_daemon",
        default="Mail is not moving: no daemon works on the queue; ${waiting}",
        mapping=mapping,
    )


def _fault(health: Health) -> Any:
    if health.reason is Reason.RELAY:
        return relaytext.fault(health.words_of_fault)
    return message(health.fault)


def _waiting(health: Health, request: Any) -> Any:
    if not health.waiting:
        return _("health_nothing_waiting", default="nothing is waiting")
    age = translated(span(health.oldest_seconds), request)
    mapping = {"count": number(health.waiting, request), "age": age}
    if not health.oldest_seconds:
        return _(
            "health_none_due",
            default="${count} waiting, none of them due",
            mapping=mapping,
        )
    return _(
        "health_waiting", default="${count} waiting, oldest ${age}", mapping=mapping
    )
