"""What the result of a transaction says of its message, its relay, its recipients."""

from __future__ import annotations

from collections.abc import Sequence

from ..smtp import Phase, Result
from ..verdict import Outcome, Verdict

_OF_A_MESSAGE = (Phase.EHLO, Phase.MAIL, Phase.RCPT, Phase.DATA)
"""The phases in which a relay may seem at fault because of what this message needs."""


def untried(result: Result) -> bool:
    """Whether nothing at all is known of this attempt."""
    nothing = result.fault is None and not any(result.verdicts)
    return nothing and not result.possible_duplicate


def taken(result: Result) -> bool:
    """Whether the relay has the message, if not for all of its recipients."""
    return any(each and each.outcome is Outcome.SENT for each in result.verdicts)


def refused_with_a_fault(result: Result) -> bool:
    """Whether the relay has shown a fault only in what this message asked of it."""
    fault = result.fault
    return (
        fault is not None and fault.phase in _OF_A_MESSAGE and not any(result.verdicts)
    )


def shown_to_work(result: Result) -> bool:
    """Whether the relay has shown that it works.

    A verdict that the client came to by itself says nothing about the relay.
    """
    return result.usable and result.answered and any(result.verdicts)


_SEVERITY = (Outcome.SENT, Outcome.FAILED, Outcome.DEFERRED)


def worst(verdicts: Sequence[Verdict | None]) -> Verdict | None:
    """With DEBUG_RECEIVER: the one verdict that stands for all recipients."""
    given = [verdict for verdict in verdicts if verdict is not None]
    return max(
        given, key=lambda verdict: _SEVERITY.index(verdict.outcome), default=None
    )
