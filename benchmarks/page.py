"""What a page pays for one mail: send with commit, ours beside zope.sendmail's queue.

Part of `make bench`. Both sides send the same 4.4 kB message in a transaction of its
own, in turn, so that a machine whose speed drifts drifts for both. Ours is on disk when
the commit returns; zope.sendmail syncs nothing.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from email.message import Message
from pathlib import Path

import transaction
from zope.sendmail.delivery import QueuedMailDelivery

from collective.maildrophost import productconfig
from collective.maildrophost.host import MaildropHost

MAILS = 500
WARM_UP = 20
SENDER, RECIPIENT = "page@example.org", "reader@example.org"
BODY = ("All work and no play makes mail a dull thing to read. " * 80)[:4300]


def letter() -> Message:
    """The message that both send."""
    message = Message()
    message["From"], message["To"] = SENDER, RECIPIENT
    message["Subject"] = "a benchmark"
    message.set_payload(BODY, "utf-8")
    return message


def ours(folder: Path) -> Callable[[], object]:
    """A MaildropHost with a queue of its own."""
    path = folder / "maildrop.conf"
    path.write_text(f'MAILDROP_HOME="{folder}/home"\n')
    productconfig.add("bench", str(path))
    host = MaildropHost("MailHost")
    host.setConfigPath("bench")
    return lambda: host.send(letter(), RECIPIENT, SENDER)


def theirs(folder: Path) -> Callable[[], object]:
    """The queue that Plone's MailHost writes."""
    delivery = QueuedMailDelivery(str(folder / "maildir"))
    return lambda: delivery.send(SENDER, [RECIPIENT], letter().as_bytes())


def one(send: Callable[[], object]) -> float:
    """Milliseconds for one mail in a transaction of its own."""
    start = time.perf_counter()
    send()
    transaction.commit()
    return (time.perf_counter() - start) * 1000


def main() -> None:
    """Measure in turn, print the table."""
    with tempfile.TemporaryDirectory() as name:
        sides = {"maildrophost": ours(Path(name)), "zope.sendmail": theirs(Path(name))}
        figures: dict[str, list[float]] = {side: [] for side in sides}
        for number in range(WARM_UP + MAILS):
            for side, send in sides.items():
                milliseconds = one(send)
                if number >= WARM_UP:
                    figures[side].append(milliseconds)
    print(f"{MAILS} mails each   p50 ms   p99 ms")
    for side, times in figures.items():
        p99 = statistics.quantiles(times, n=100)[98]
        print(f"{side:16} {statistics.median(times):8.3f} {p99:8.3f}")
    medians = [statistics.median(times) for times in figures.values()]
    print(f"ratio of the medians, ours to theirs: {medians[0] / medians[1]:.2f}")


if __name__ == "__main__":
    main()
