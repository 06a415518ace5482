"""Whether a relay is at fault, or the message at which it seems to be."""

# A relay that wants a login says so to every message; one that does not like a sender
# may say the same words to that one (550 5.7.0). What tells the two apart is whether it
# takes other mail meanwhile.

from __future__ import annotations


class Blame:
    """Remembers the messages that a relay has refused with a fault of its own."""

    def __init__(self) -> None:
        self._others_taken: dict[int, bool] = {}

    def is_message(self, id: int) -> bool:
        """The relay refuses this one: whether it has taken others since it first did.

        Then the message is to blame, and the relay is not to be paused for it again.
        """
        return self._others_taken.setdefault(id, False)

    def taken(self, id: int) -> None:
        """The relay has taken this one."""
        self._others_taken.pop(id, None)
        for each in self._others_taken:
            self._others_taken[each] = True
