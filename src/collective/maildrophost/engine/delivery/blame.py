"""Whether a relay is at fault, or the message at which it seems to be."""

# A relay that wants a login says so to every message; one that does not like a sender
# may say the same words to that one (550 5.7.0). What tells the two apart is whether it
# takes other mail after that. What was on its way before tells nothing: a login that is
# wanted from now on is not asked of it.

from __future__ import annotations


class Blame:
    """Remembers the messages that a relay has refused with a fault of its own."""

    def __init__(self) -> None:
        self._refusals = 0
        # With the number of the refusal that was the first of each.
        self._suspects: dict[int, int] = {}
        self._convicted: set[int] = set()

    def offered(self) -> int:
        """A message begins its way: the mark that `taken` is told of it."""
        return self._refusals

    def is_message(self, id: int) -> bool:
        """Whether the relay has taken others since it first refused this one.

        Then the message is to blame, and the relay is not to be paused for it again.
        """
        return id in self._convicted

    def refused(self, id: int) -> None:
        """The relay refuses this one, and is at fault as far as is known."""
        self._refusals += 1
        self._suspects.setdefault(id, self._refusals)

    def taken(self, id: int, mark: int) -> None:
        """The relay has taken this one: it is not at fault with what it refused before.

        `mark`: of when this one began its way.
        """
        self.ended(id)
        for each, number in list(self._suspects.items()):
            if number <= mark:
                del self._suspects[each]
                self._convicted.add(each)

    def ended(self, id: int) -> None:
        """This one is not offered any more, or is no worse than others."""
        self._suspects.pop(id, None)
        self._convicted.discard(id)
