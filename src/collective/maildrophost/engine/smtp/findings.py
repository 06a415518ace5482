"""What a transaction has found out about its recipients."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ..verdict import Verdict
from .fault import RelayFault


@dataclass(frozen=True)
class Result:
    """`verdicts` are in the order of the recipients.

    None instead of a verdict: that recipient was not tried. Without a `fault` it is to
    be tried again at once, on another connection unless this one is `usable`; with one
    it keeps its place in the queue. `possible_duplicate`: the relay may have taken the
    message although the recipients are deferred. `stranded`: it cannot, unless the last
    dot leaves before the connection is closed. `answered`: the relay said something to
    MAIL; without that the verdicts are the client's own.
    """

    verdicts: tuple[Verdict | None, ...]
    possible_duplicate: bool = False
    fault: RelayFault | None = None
    usable: bool = True
    answered: bool = False
    stranded: bool = False


@dataclass
class Findings:
    """Collects the verdicts while a transaction runs; becomes a `Result`.

    `answered`: the relay said something to MAIL. `dot_left`: all of the content has
    left, its last dot included.
    """

    count: int
    verdicts: dict[int, Verdict] = field(default_factory=dict)
    answered: bool = False
    dot_left: bool = False
    possible_duplicate: bool = False
    fault: RelayFault | None = None
    usable: bool = True
    stranded: bool = False

    def settle(self, indexes: Iterable[int], verdict: Verdict) -> None:
        for index in indexes:
            self.verdicts.setdefault(index, verdict)

    def settle_rest(self, verdict: Verdict) -> None:
        self.settle(range(self.count), verdict)

    def result(self) -> Result:
        return Result(
            verdicts=tuple(map(self.verdicts.get, range(self.count))),
            possible_duplicate=self.possible_duplicate,
            fault=self.fault,
            usable=self.usable,
            answered=self.answered,
            stranded=self.stranded,
        )
