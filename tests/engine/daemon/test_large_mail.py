"""Mail of 25 MB neither holds up other mail nor fills the memory."""

from __future__ import annotations

import base64
import threading
import time

from engine.processes import children, memory
from servers.scripted import Late, Raw, Scripted
from waiting import wait_until

from collective.maildrophost.engine.delivery.room import LANE_OCTETS
from collective.maildrophost.engine.message import Lane, compose
from collective.maildrophost.engine.queue import State
from collective.maildrophost.engine.queue.putoff import SHORTEST_SECONDS

LARGE_OCTETS = 25 * 2**20
CONCURRENCY = 10
AT_ONCE = LANE_OCTETS // LARGE_OCTETS
SECONDS = 60.0


def large_mail(number: int):
    if number % 2:
        body = base64.encodebytes(b"%d" % number * (LARGE_OCTETS // 4 * 3))
        encoding = "base64"
    else:
        body = b"all work and no play makes mail\n" * (LARGE_OCTETS // 32)
        encoding = "7bit"
    head = (
        f"Subject: large {number}\nMIME-Version: 1.0\nContent-Type: text/plain\n"
        f"Content-Transfer-Encoding: {encoding}\n\n"
    )
    return compose(
        head.encode() + body[:LARGE_OCTETS],
        "a@example.org",
        [f"large{number}@example.org"],
        now=time.time(),
    )


def of_all(pids, name: str) -> int:
    return sum(memory(pid, name) for pid in pids)


def test_small_mail_goes_while_large_mail_is_uploaded(site, make_mail):
    go_on = threading.Event()
    # The relay stops reading large content until the test lets it go on.
    paused = (1_000_000, Late(go_on, Raw(b"")))
    messages = [large_mail(number) for number in range(CONCURRENCY)]
    # What is measured is what the program keeps: how much of what it has freed the C
    # library keeps for later differs from system to system.
    site.environ["GLIBC_TUNABLES"] = f"glibc.malloc.mmap_threshold={2**20}"
    with Scripted(during=paused) as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_CONCURRENCY=CONCURRENCY)
        with site.daemon() as daemon:
            (first,) = site.send(make_mail())
            site.wait_for(first, State.SENT)
            processes = daemon.pid, *children(daemon.pid)
            before = of_all(processes, "VmHWM")
            large = site.send(*messages)

            def uploads() -> int:
                talks = [talk.commands[-1:] for talk in relay.conversations]
                return talks.count(["DATA"])

            wait_until(lambda: uploads() == AT_ONCE, SECONDS, "uploads of large mail")
            for lane in (Lane.INTERACTIVE, Lane.NORMAL) * 10:
                (small,) = site.send(make_mail(lane=lane))
                site.wait_for(small, State.SENT)
            states = [site.message(id).state for id in large]
            assert states.count(State.SENDING) == AT_ONCE
            go_on.set()
            for id in large:
                site.wait_for(id, State.SENT, SECONDS)
            used = of_all(processes, "VmHWM") - before
            wait_until(
                lambda: of_all(processes, "VmRSS") - before < 3 * LARGE_OCTETS,
                SECONDS,
                "the memory of mail that was sent to be free",
            )
    arrived = {each.recipients[0]: each.content for each in relay.accepted}
    for message in messages:
        (recipient,) = message.recipients
        assert arrived[recipient].splitlines() == message.content.splitlines()
    # What docs/configuration.md says of memory: the content of the mail in flight, and
    # twice that of the one which is read.
    assert used < LANE_OCTETS + 2.5 * LARGE_OCTETS


def test_large_mail_that_two_daemons_had_when_they_were_killed_lets_other_mail_go(
    site, make_mail
):
    """What fills the memory would do so again and again."""
    never = threading.Event()
    with Scripted(during=(1_000_000, Late(never, Raw(b"")))) as relay:
        site.configure(SMTP_PORT=relay.port)
        (large,) = site.send(large_mail(0))
        for uploads in (1, 2):
            with site.daemon() as daemon:
                wait_until(
                    lambda n=uploads: len(relay.conversations) == n,
                    SECONDS,
                    "an upload",
                )
                site.wait_for(large, State.SENDING)
                daemon.kill()
        found = time.time()
        with site.daemon():
            (small,) = site.send(make_mail())
            site.wait_for(small, State.SENT)
            record = site.message(large)
    assert (record.state, record.possible_duplicate) == (State.QUEUED, True)
    assert record.due >= found + SHORTEST_SECONDS
