"""Whether a relay is at fault, or the message at which it seems to be."""

# A relay that wants a login says so to every message; one that does not like a sender
# may say the same words to that one (550 5.7.0). What tells the two apart is whether it
# takes other mail meanwhile.

from __future__ import annotations


class Blame:
    """Remembers the messages that a relay has refused with a fault of its own."""

    def __init__(self) -> None:
        self._suspects: set[int] = set()
        self._convicted: set[int] = set()

    def is_message(self, id: int) -> bool:
        """Whether the relay has taken others since it first refused this one.

        Then the message is to blame, and the relay is not to be paused for it again.
        """
        return id in self._convicted

    def refused(self, id: int) -> None:
        """The relay refuses this one, and is at fault as far as is known."""
        self._suspects.add(id)

    def taken(self, id: int) -> None:
        """The relay has taken this one, so it is not at fault with what it refuses."""
        for refused in self._suspects, self._convicted:
            refused.discard(id)
        self._convicted |= self._suspects
        self._suspects.clear()
