"""Why an action leaves a message alone, as kinds that can be told in any language."""

from __future__ import annotations

from dataclasses import dataclass

from .states import State

PARTICIPLES = {
    "retry": "retried",
    "hold": "held",
    "release": "released",
    "delete": "deleted",
}


@dataclass(frozen=True)
class NoSuchMessage:
    """It was deleted, or was never there."""

    def __str__(self) -> str:
        return "there is no such message"


@dataclass(frozen=True)
class OtherState:
    """`action` is for messages in the states `for_`, not for one in this `state`."""

    action: str
    state: State
    for_: tuple[State, ...]

    def __str__(self) -> str:
        can = ", ".join(each.value for each in self.for_)
        done = PARTICIPLES[self.action]
        return f"is {self.state.value}; only {can} messages can be {done}"


@dataclass(frozen=True)
class StillRunning:
    """Its transaction certainly goes on, and decides about it."""

    def __str__(self) -> str:
        return (
            "belongs to a transaction that still runs: it is released or deleted when "
            "that ends, with its process at the latest"
        )


@dataclass(frozen=True)
class BeingMoved:
    """It is on its way to another queue."""

    def __str__(self) -> str:
        return "is being moved to another queue: run 'import' again"


Undecided = StillRunning | BeingMoved
"""Why nobody may decide about prepared mail."""

LeftAlone = NoSuchMessage | OtherState | Undecided
