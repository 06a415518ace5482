"""Whether a relay is at fault, or a message that makes it seem so."""

# A relay that wants a login says so to every message; one that does not like a sender
# may say the same words to that one (550 5.7.0). What tells the two apart is whether it
# takes other mail after that. Mail that was on its way before tells nothing: it is not
# asked for a login that the relay wants from now on.

from __future__ import annotations


class Blame:
    """Remembers the messages that a relay has refused with a fault of its own."""

    def __init__(self) -> None:
        self._refusals = 0
        # The number of each one's first refusal.
        self._suspects: dict[int, int] = {}
        self._convicted: set[int] = set()

    def offered(self) -> int:
        """A message begins its way; `taken` is told the mark that this returns."""
        return self._refusals

    def is_message(self, id: int) -> bool:
        """Whether the relay has taken others since it first refused this one.

        Then the message is to blame, and the relay is not to be paused for it again.
        """
        return id in self._convicted

    def refused(self, id: int) -> None:
        """The relay refuses this one, and is itself at fault as far as is known."""
        self._refusals += 1
        self._suspects.setdefault(id, self._refusals)

    def taken(self, id: int, mark: int) -> None:
        """The relay takes this one: so the messages that it had refused are to blame.

        That is, those refused before this one began its way, as `mark` tells.
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
