"""The price of a page's mail is measured, on every side, for mail that was taken."""

from __future__ import annotations

import mmap
import time
from contextlib import closing
from email import message_from_bytes, policy
from types import SimpleNamespace

import pytest
from waiting import PATIENCE_SECONDS, wait_until
from ZODB.FileStorage import FileStorage

from benchmarks.failure import BenchmarkFailed
from benchmarks.page import busy, compare, forked, onemail, report
from benchmarks.page.compare import Place, newsletters, one_mail
from benchmarks.page.kinds import HTML, KINDS, TEXT, Kind
from benchmarks.page.newsletter import Issue
from benchmarks.page.onemail import Load, Paid
from benchmarks.page.sides import (
    ALONE,
    DIRECT,
    FLOORS,
    IMMEDIATE,
    NO_MAIL,
    OURS,
    QUEUED,
    SIDES,
    SPILLS,
    Side,
)
from benchmarks.sink import own_sink
from collective.maildrophost.engine.queue import open_queue, queue_length
from collective.maildrophost.transaction import SPILL_MESSAGES

FEW, WARM_UP = 5, onemail.WARM_UP


def words(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines()]


def queued(folder) -> int:
    with open_queue(f"sqlite:///{folder}/home/queue.db").read() as tx:
        return queue_length(tx)


def files(folder) -> int:
    return len(list((folder / "new").iterdir()))


@pytest.fixture
def sink(tmp_path):
    with own_sink(tmp_path) as sink:
        yield sink


@pytest.mark.parametrize(
    "load", [Load("threads", TEXT, 1, 3, FEW), Load("processes", HTML, 3, 1, FEW)]
)
def test_every_side_takes_every_mail(load, sink, tmp_path):
    paid = one_mail(Place(tmp_path, sink.port), load, SIDES, rounds=2)
    assert {name: len(each.milliseconds) for name, each in paid.items()} == {
        side.name: 2 * 3 * FEW for side in SIDES
    }
    taken = 2 * (load.processes * WARM_UP + 3 * FEW)
    assert queued(tmp_path) == files(tmp_path / "queued") == taken
    assert files(tmp_path / "alone") == taken
    wait_until(lambda: sink.messages() == taken, what="all that was sent directly")
    for each in paid.values():
        assert 0 < each.p50 < each.p99


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("side", [OURS, QUEUED, IMMEDIATE])
def test_a_newsletter_has_every_mail(side, kind, sink, tmp_path):
    issues = newsletters(Place(tmp_path, sink.port), kind, {side: 30}, rounds=1)
    (issue,) = issues[side.name]
    taken = 30 + WARM_UP
    if side is OURS:
        assert queued(tmp_path) == taken
    elif side is QUEUED:
        assert files(tmp_path / "queued") == taken
    else:
        wait_until(lambda: sink.messages() == taken, what="all that was sent")
    assert issue.mails == 30
    assert issue.seconds > 0


def rows(folder) -> int:
    with open_queue(f"sqlite:///{folder}/rows/queue.db").read() as tx:
        return queue_length(tx)


def test_the_floors_that_ours_cannot_go_below_are_measured_beside_it(tmp_path):
    paid = one_mail(
        Place(tmp_path, 0), Load("alone", TEXT, 1, 1, FEW), FLOORS, rounds=1
    )
    assert [len(each.milliseconds) for each in paid.values()] == [FEW] * len(FLOORS)
    assert rows(tmp_path) == WARM_UP + FEW
    newsletters(Place(tmp_path, 0), TEXT, {SPILLS: SPILL_MESSAGES - WARM_UP}, rounds=1)
    assert rows(tmp_path) == WARM_UP + FEW + SPILL_MESSAGES


def transactions(file) -> int:
    with closing(FileStorage(str(file), read_only=True)) as storage:
        return sum(1 for _ in storage.iterator())


def test_a_page_may_change_its_database_too(tmp_path):
    load = Load("changes", TEXT, 1, 1, FEW, changes=True)
    paid = one_mail(Place(tmp_path, 0), load, (OURS, NO_MAIL), rounds=1)
    assert [len(each.milliseconds) for each in paid.values()] == [FEW, FEW]
    assert queued(tmp_path) == WARM_UP + FEW
    files = list(tmp_path.glob("Data.*.fs"))
    assert [transactions(file) for file in files] == [1 + WARM_UP + FEW] * 2


def test_a_daemon_delivers_while_a_page_sends(tmp_path, monkeypatch):
    monkeypatch.setattr(busy, "QUEUED", 1000)
    monkeypatch.setattr(busy, "LOAD", Load("here", TEXT, 1, 1, FEW))
    with own_sink(tmp_path, late=0.02) as sink:
        paid = busy.measure(tmp_path / "busy", sink.port)
        assert sink.messages() > 0
    assert len(paid.milliseconds) == FEW


def test_a_daemon_with_nothing_to_do_is_no_measurement(sink, tmp_path, monkeypatch):
    monkeypatch.setattr(busy, "QUEUED", 1)
    monkeypatch.setattr(busy, "LOAD", Load("here", TEXT, 1, 1, 0))
    monkeypatch.setattr(onemail, "WARM_UP", 0)
    with pytest.raises(BenchmarkFailed, match="text, here: 1 messages were too few"):
        busy.measure(tmp_path / "busy", sink.port)


def hoarding(folder, port, kind):
    kept = []

    def send(message, to):
        # Past Python's allocator: reusing what earlier tests freed would not count.
        hoard = mmap.mmap(-1, 10**6)
        hoard.write(b"x" * len(hoard))
        kept.append(hoard)

    return send


def test_what_a_newsletter_keeps_in_memory_is_seen(tmp_path):
    issues = newsletters(
        Place(tmp_path, 0), TEXT, {Side("hoard", hoarding): 30}, rounds=1
    )
    assert 25e6 < issues["hoard"][0].grown_bytes < 60e6


def locked_up(folder, port, kind):
    def send(message, to):
        if to.startswith("reader3@"):
            raise OSError("database is locked")

    return send


def broken(folder, port, kind):
    def send(message, to):
        raise OSError("no disk")

    return send


def test_a_locked_queue_is_a_failure(tmp_path):
    sides, load = [Side("theirs", locked_up)], Load("here", TEXT, 1, 1, FEW)
    with pytest.raises(
        BenchmarkFailed, match="theirs, text, here: the queue was locked 2"
    ):
        one_mail(Place(tmp_path, 0), load, sides, rounds=1)


def test_a_locked_queue_is_a_failure_beside_a_daemon_too(sink, tmp_path, monkeypatch):
    monkeypatch.setattr(busy, "QUEUED", 1)
    monkeypatch.setattr(busy, "LOAD", Load("here", TEXT, 1, 1, FEW))
    monkeypatch.setattr(busy, "CONFIGURED", Side("theirs", locked_up))
    with pytest.raises(
        BenchmarkFailed, match="theirs, text, here: the queue was locked 2"
    ):
        busy.measure(tmp_path / "busy", sink.port)


def test_a_process_that_fails_holds_up_no_other(tmp_path, monkeypatch):
    monkeypatch.setattr(forked, "_PATIENCE_SECONDS", 60 * PATIENCE_SECONDS)
    begun = time.monotonic()
    with pytest.raises(BenchmarkFailed, match="no disk"):
        onemail.measure(Side("x", broken), tmp_path, 0, Load("here", TEXT, 3, 1, FEW))
    assert time.monotonic() - begun < PATIENCE_SECONDS


def test_the_making_of_a_message_is_not_measured(monkeypatch):
    steps = []
    clock = SimpleNamespace(perf_counter=lambda: steps.append("look") or 0.0)
    monkeypatch.setattr(onemail, "time", clock)
    kind = Kind("slow", lambda: steps.append("make"), {})
    onemail.pay(lambda message, to: steps.append("send"), kind, 2)
    assert steps == ["make", "look", "send", "look"] * 2


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_mail_is_such_as_pages_send(kind):
    content = kind.content()
    assert 4000 < len(content) < 10_000
    queued = message_from_bytes(content, policy=policy.default)
    assert queued["Subject"] == "a benchmark"
    assert queued.is_multipart() == (kind is HTML)


def paid(milliseconds: float) -> Paid:
    return Paid([milliseconds] * 99 + [milliseconds * 9], 0)


def test_the_price_of_a_mail_is_a_line_for_each_side_and_each_goal():
    load = Load("here", TEXT, 1, 1, 100)
    both = {OURS.name: paid(0.5), QUEUED.name: paid(1.0), ALONE.name: paid(0.8)}
    assert words(report.one_mail(load, both)) == [
        "one mail, text, here mails p50 ms p99 ms ours is",
        "maildrophost 100 0.500 4.460 1.00x",
        "MailHost with its queue 100 1.000 8.920 2.00x",
        "QueuedMailDelivery alone 100 0.800 7.136 1.60x",
    ]
    assert words(report.one_mail_goals(load, both))[1:] == [
        "text, here: maildrophost to MailHost with its queue 2.00x 2.00x ok",
        "text, here: maildrophost to QueuedMailDelivery alone 2.00x 1.60x SHORT",
    ]


def test_the_price_of_a_newsletter_is_its_time_and_its_memory():
    short = {OURS.name: [Issue(1000, 0.2, 5_000_000)]}
    issues = {
        OURS.name: [Issue(10_000, 1.0, 6_100_000), Issue(10_000, 1.0, 5_000_000)],
        QUEUED.name: [Issue(10_000, 19.0, 12_000_000)],
        IMMEDIATE.name: [Issue(10_000, 20.0, 100_000)],
    }
    assert words(report.newsletter(TEXT, issues, short)) == [
        "newsletter, text mails seconds grown MB ours is",
        "maildrophost 1000 0.200 5.0 2.00x",
        "maildrophost 10000 1.000 6.1 1.00x",
        "MailHost with its queue 10000 19.000 12.0 19.00x",
        "MailHost, immediate SMTP 10000 20.000 0.1 20.00x",
        "to reach goal measured",
        "newsletter, text: maildrophost to MailHost with its queue 20.00x 19.00x SHORT",
        "newsletter, text: maildrophost to MailHost, immediate SMTP 20.00x 20.00x ok",
        "newsletter, text: memory of the long one to the short one 1.20x 1.22x SHORT",
    ]


def test_all_is_measured_and_printed(monkeypatch, capsys):
    monkeypatch.setattr(compare, "LOADS", (Load("here", TEXT, 1, 1, FEW),))
    monkeypatch.setattr(compare, "CHANGE", Load("there", TEXT, 1, 1, FEW, changes=True))
    monkeypatch.setattr(busy, "LOAD", Load("beside", TEXT, 1, 1, FEW))
    monkeypatch.setattr(busy, "QUEUED", 10_000)
    monkeypatch.setattr(compare, "NEWSLETTER_MAILS", 40)
    monkeypatch.setattr(compare, "SHORT_MAILS", 20)
    monkeypatch.setattr(compare, "WAL_FULL_MAILS", 2)
    monkeypatch.setattr(compare, "ROUNDS", 2)
    compare.main()
    printed = capsys.readouterr().out
    for side in (OURS, QUEUED, ALONE, DIRECT, IMMEDIATE, *FLOORS, NO_MAIL, SPILLS):
        assert side.name in printed
    for load in ("here", "there", "beside"):
        assert f"one mail, text, {load} " in printed
    for kind in KINDS:
        assert f"newsletter, {kind.name} " in printed
    assert "memory of the long one" in printed
