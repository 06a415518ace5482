"""Whether a claim stays quick while messages stream through PostgreSQL.

`make bench CHURN=1000000`. A process writes; this one claims and settles as a daemon
does, without SMTP, and forgets what is sent.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

from collective.maildrophost.engine.message import Lane, compose
from collective.maildrophost.engine.queue import (
    Claim,
    Queue,
    Settlement,
    claim,
    due,
    enqueue,
    open_queue,
    prune,
    queue_length,
    settle,
)
from collective.maildrophost.engine.verdict import Outcome, Verdict

from .databases import postgresql
from .failure import BenchmarkFailed
from .letters import LETTER_BYTES, RECIPIENT, SENDER, letter

SLICES = 10
WRITTEN_AT_ONCE = 50
CLAIMED_AT_ONCE = 20
LEAST_MESSAGES = SLICES * 2 * CLAIMED_AT_ONCE
"""So that each slice has several claims: one has no spread."""
BACKLOG = 3_000
"""The writer pauses while more messages than these wait."""
PRUNED_EVERY = 400
"""Messages between two prunings of the history, which has HISTORY_SECONDS then."""
HISTORY_SECONDS = 20.0
STALL_SECONDS = 60.0
SECONDS_PER_DAY = 86400
ACCEPTED = Verdict(Outcome.SENT, "250 2.0.0 Ok: queued")
SIZES = """
    SELECT pg_total_relation_size('maildrop_schedule'),
           (SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class
            WHERE relname LIKE 'maildrop\\_%%' AND relkind = 'r'),
           (SELECT n_dead_tup FROM pg_stat_user_tables
            WHERE relname = 'maildrop_schedule')
"""


@dataclass(frozen=True)
class Slice:
    """A part of the stream; times in milliseconds, sizes in octets."""

    messages: int
    rate: float
    median: float
    slowest_of_a_hundred: float
    schedule: int
    all_tables: int
    dead_rows: int


def measure_churn(messages: int) -> Iterator[Slice]:
    """So many messages through an empty queue, slice by slice."""
    with postgresql() as url:
        queue = open_queue(url)
        writer = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.churn", url, str(messages)],
            stdin=subprocess.DEVNULL,
        )
        try:
            for number in range(1, SLICES + 1):
                count = messages // SLICES
                yield _slice(queue, writer, count, number * count)
        finally:
            writer.kill()
            writer.wait()
            queue.close()


def _slice(
    queue: Queue, writer: subprocess.Popen[bytes], count: int, total: int
) -> Slice:
    began = time.perf_counter()
    times: list[float] = []
    held: list[Claim] = []
    done = pruned = 0
    progressed = time.monotonic()
    while done < count:
        # Nothing is left in hand at the end of a slice.
        wanted = min(CLAIMED_AT_ONCE, count - done - len(held))
        seconds, held, settled = _turn(queue, held, wanted)
        done += settled
        if held:
            times.append(seconds * 1000)
            progressed = time.monotonic()
        elif time.monotonic() - progressed > STALL_SECONDS:
            raise BenchmarkFailed(f"nothing is written (exit {writer.poll()})")
        else:
            time.sleep(0.01)
        if done - pruned >= PRUNED_EVERY:
            pruned = done
            with queue.write() as tx:
                prune(tx, time.time(), HISTORY_SECONDS / SECONDS_PER_DAY, 0)
    rate = count / (time.perf_counter() - began)
    with queue.read() as tx:
        schedule, everything, dead = tx.exec_driver_sql(SIZES).one()
    hundredth = statistics.quantiles(times, n=100)[98]
    return Slice(
        total, rate, statistics.median(times), hundredth, schedule, everything, dead
    )


def _turn(queue: Queue, held: list[Claim], most: int) -> tuple[float, list[Claim], int]:
    """One transaction of a daemon: its seconds, the new claims, how many it settled."""
    now = time.time()
    began = time.perf_counter()
    with queue.write() as tx:
        settle(tx, [_accepted(claimed, now) for claimed in held], now)
        waiting = due(tx, most, now).lanes
        ids = [key for lane in Lane for key in waiting[lane]][:most]
        fresh = claim(tx, "churn", ids, now)
    return time.perf_counter() - began, fresh, len(held)


def _accepted(claimed: Claim, now: float) -> Settlement:
    verdicts = tuple((recipient.position, ACCEPTED) for recipient in claimed.recipients)
    return Settlement(
        claimed.id,
        claimed.created,
        claimed.attempts,
        claimed.owner,
        now,
        "relay:25",
        verdicts,
        now,
        False,
    )


def write(url: str, messages: int) -> None:
    """Queue so many messages, as the writing process; wait while it is ahead."""
    queue = open_queue(url)
    written = 0
    while written < messages:
        with queue.read() as tx:
            crowded = queue_length(tx) > BACKLOG
        if crowded:
            time.sleep(0.05)
            continue
        for _ in range(10):
            now = time.time()
            numbers = range(written, min(written + WRITTEN_AT_ONCE, messages))
            mail = [
                compose(letter(number, LETTER_BYTES), SENDER, [RECIPIENT], now=now)
                for number in numbers
            ]
            with queue.write() as tx:
                enqueue(tx, mail, now)
            written += len(numbers)


HEADER = (
    f"{'messages':>10}{'msg/s':>8}{'claim ms':>10}{'99 %':>8}"
    f"{'schedule MB':>13}{'all MB':>8}{'dead rows':>11}"
)


def line(found: Slice) -> str:
    """One slice."""
    return (
        f"{found.messages:10}{found.rate:8.0f}{found.median:10.2f}"
        f"{found.slowest_of_a_hundred:8.2f}{found.schedule / 1e6:13.1f}"
        f"{found.all_tables / 1e6:8.0f}{found.dead_rows:11}"
    )


def main(messages: int) -> None:
    """Measure, and print each slice as soon as it is there."""
    print(
        f"{messages} messages through one PostgreSQL, durable; {CLAIMED_AT_ONCE} "
        "settled and claimed in one transaction",
        HEADER,
        sep="\n",
        flush=True,
    )
    for found in measure_churn(messages):
        print(line(found), flush=True)


if __name__ == "__main__":
    write(sys.argv[1], int(sys.argv[2]))
