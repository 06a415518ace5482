"""What was told, what a relay has, what the queue keeps: does it add up?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from proof.powercut.ledger import ALLOWED, DUE, Mail
from servers.scripted.records import Received


def steps_told(files: Iterable[Path]) -> dict[str, str]:
    """The last word of the writers on each mail."""
    steps = {}
    for file in files:
        for line in file.read_text().splitlines():
            _, step, name = line.split()
            steps[name] = step
    return steps


def faults(
    steps: dict[str, str], received: Iterable[Received], kept: list[Mail]
) -> Iterator[str]:
    """Every line that does not add up."""
    has = Counter(
        each.sender.partition("@")[0]
        for each in received
        # After a drop nobody knows: such a server may have it.
        if not isinstance(each.reply, str) or each.reply.startswith("2")
    )
    of_name = {mail.name: mail for mail in kept}
    for name, step in steps.items():
        mail = of_name.get(name)
        if ALLOWED[step] == {DUE} and (mail is None or mail.standing != DUE):
            yield f"{name} is lost after {step}"
        if DUE not in ALLOWED[step] and (mail or has[name]):
            yield f"{name} is kept or was sent after {step}"
    for name, mail in of_name.items():
        if mail.state == "sent" and not has[name]:
            yield f"{name} counts as sent, and nobody has it"
        if has[name] > 1 and not mail.possible_duplicate:
            yield f"{name} was sent {has[name]} times and is not marked"
    times = Counter(mail.name for mail in kept)
    yield from (f"{name} is there twice" for name in times if times[name] > 1)
    known = steps.keys() | {""}
    nowhere = (has.keys() | of_name.keys()) - known
    yield from (f"{name} came from nowhere" for name in nowhere)
