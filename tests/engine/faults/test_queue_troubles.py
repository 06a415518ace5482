"""Rows 26 and 27: what is acknowledged is on disk; a queue may be out of reach."""

from __future__ import annotations

import re
import shutil
import signal
import sqlite3
import threading

import pytest
from engine.faults.outages import full, gone, locked
from engine.faults.telling import assert_untouched, told
from servers.scripted import Late, Scripted
from waiting import PATIENCE_SECONDS, wait_until

from collective.maildrophost.engine.queue import State

row = pytest.mark.row
OK = "250 2.0.0 Ok: queued"
LETTER = b"Subject: hello\n\nbody\n"
SENDING = ("send", "-f", "a@example.org", "b@example.org")


@pytest.fixture
def strace(site, tmp_path):
    """Runs the programs under strace; the lines it wrote about some of their calls."""
    assert shutil.which("strace"), "strace is missing (apt-get install strace)"
    trace = tmp_path / "trace"
    calls = "fsync,fdatasync,write,sendto,sendmsg,recvfrom,read"
    # -D: the traced program is our child, as without strace.
    follow = ("strace", "-D", "-f", "-y", "-s", "80", "-e", f"trace={calls}")
    site.program = (*follow, "-o", str(trace), *site.program)
    return lambda: trace.read_text(errors="replace").splitlines()


def events(lines, **patterns):
    """The names of `patterns` in the order of the calls; "sync" when one has ended."""
    syncing, found = set(), []
    for line in lines:
        thread = line.split()[0]
        begins = re.search(r"f(?:data)?sync\(\d+<[^>]*queue\.db-wal>", line)
        ends = re.search(r"f(?:data)?sync resumed", line)
        if begins:
            syncing.add(thread)
        if (begins or (ends and thread in syncing)) and line.endswith("= 0"):
            syncing.discard(thread)
            found.append("sync")
        found += [name for name, text in patterns.items() if text in line]
    return found


@row(26)
def test_an_id_is_printed_only_when_its_mail_is_on_disk(site, strace):
    assert site.ctl(*SENDING, stdin=LETTER) == "1"
    order = events(strace(), printed='"1\\n"')
    assert "sync" in order
    assert order[-1] == "printed"


@row(26)
def test_a_verdict_is_on_disk_before_its_connection_takes_the_next_mail(
    site, strace, make_mail
):
    with Scripted() as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_CONCURRENCY=1)
        site.send(*[make_mail(subject=str(n)) for n in range(4)])
        assert site.once() == 0
        assert [len(each.received) for each in relay.conversations] == [4]
    order = events(strace(), mail='"MAIL FROM:', accepted=f'"{OK}')
    steps = [name for name in order if name != "sync"]
    assert steps == ["mail", "accepted"] * 4
    words = " ".join(order)
    assert len(re.findall(r"accepted(?= sync)", words)) == 4


TROUBLES = {
    "locked": (locked, "another program kept it locked"),
    "gone": (gone, "its file was removed"),
    "full": (full, "the disk reports an error"),
}


@row(27)
@pytest.mark.parametrize("trouble", TROUBLES)
def test_while_the_queue_is_out_of_reach_no_verdict_is_lost_and_no_mail_claimed(
    site, impatient, make_mail, trouble
):
    # Longer than a lease lasts, so that nobody takes the daemon for dead either.
    lease = {"LEASE_SECONDS": 1.0, "RENEW_SECONDS": 0.2}
    # Long enough for whoever just takes a turn on a busy machine.
    lock = {"queue__sqlite__lock__BUSY_TIMEOUT_SECONDS": 2.0}
    impatient(
        delivery__ledger__RETRY_SECONDS=0.2,
        delivery__outage__TRIES_PER_LINE=2 if trouble == "locked" else 8,
        delivery__relaywatch__LOOK_SECONDS=0.1,
        **{f"daemon__heartbeat__{name}": value for name, value in lease.items()},
        **(lock if trouble == "locked" else {}),
    )
    answered = threading.Event()
    befall, words = TROUBLES[trouble]
    with Scripted({"END": [Late(answered, OK), OK]}) as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_CONCURRENCY=1)
        with site.daemon() as daemon:
            first, second = site.send(make_mail(), make_mail(subject="next"))
            wait_until(lambda: relay.received, what="the content")
            with befall(site):
                answered.set()
                kept = "nothing new is sent, 1 verdicts wait to be written"
                wait_until(lambda: len(site.log_lines(kept)) >= 2, what="more tries")
                assert words in site.log_lines(kept)[0]
                silent = "no heartbeat until it can be written"
                wait_until(lambda: site.log_lines(silent), what="a beat that fails")
                assert len(relay.received) == 1
                if trouble != "gone":
                    assert site.message(first).state is State.SENDING
                    assert_untouched(site, second)
            records = [site.wait_for(id, State.SENT) for id in (first, second)]
            assert daemon.process.poll() is None
            assert daemon.row is not None
            assert len(site.log_lines("the queue can be written again, after")) == 1
            assert len(site.log_lines(silent)) == 1
            assert told(site, first) == told(site, second) == [("b", "sent", OK)]
        assert len(relay.received) == 2
    assert [each.possible_duplicate for each in records] == [False, False]
    assert [each.attempts for each in records] == [1, 1]
    assert len(site.log_lines(" started, pid ")) == 1


@row(27)
def test_no_reload_gives_up_what_waits_for_the_queue(site):
    answered = threading.Event()
    with Scripted({"END": [Late(answered, OK), OK]}) as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_STOP_TIMEOUT=0)
        with site.daemon() as daemon:
            (id,) = site.send()
            wait_until(lambda: relay.received, what="the content")
            with full(site):
                answered.set()
                kept = "1 verdicts wait to be written"
                wait_until(lambda: site.log_lines(kept), what="the outage")
                daemon.signal(signal.SIGHUP)
                refused = "would be lost; the old configuration stays in force"
                wait_until(lambda: site.log_lines(refused), what="the answer")
            record = site.wait_for(id, State.SENT)
        assert len(relay.received) == 1
    assert not record.possible_duplicate


@row(27)
def test_dropped_files_wait_for_a_queue_that_cannot_be_written(site, impatient):
    impatient(queue__sqlite__lock__BUSY_TIMEOUT_SECONDS=1.0)
    dropped = site.home / "spool" / "mail-1"
    with Scripted() as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_INTERVAL=0.2)
        with site.daemon():
            with locked(site):
                dropped.write_bytes(b"##To:b@x.org\n##From:a@x.org\n" + LETTER)
                wait_until(lambda: site.log_lines("dropped files stay"))
                assert dropped.exists()
            relay.wait_for(1)
            wait_until(lambda: not dropped.exists(), what="the end of the file")
        assert len(relay.received) == 1


@row(27)
def test_a_daemon_ends_when_its_queue_is_replaced_by_another_file(site, impatient):
    """A backup was put in: the next start works on that."""
    impatient(daemon__heartbeat__RENEW_SECONDS=0.2)
    with Scripted() as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon() as daemon:
            copy = site.queue.path.with_suffix(".copy")
            with sqlite3.connect(site.queue.path) as original:
                original.execute("VACUUM INTO ?", (str(copy),))
            copy.replace(site.queue.path)
            assert daemon.process.wait(PATIENCE_SECONDS) == 1
        assert "replaced" in site.log_lines("the daemon ends: ")[0]


@row(27)
def test_no_other_program_makes_a_queue_in_place_of_a_daemons(site):
    looks = (*(("queue",), ("stats",), ("check",), ("status",)), ("run", "--once"))
    with Scripted() as relay:
        site.configure(SMTP_PORT=relay.port)
        (first,) = site.send()
        with site.daemon() as daemon:
            site.wait_for(first, State.SENT)
            site.queue.close()
            with gone(site):
                for command in (SENDING, *looks):
                    ended = site.call(*command, stdin=LETTER)
                    assert ended.returncode == 1, command
                    words = ended.stdout + ended.stderr
                    assert b"put it back, and all goes on" in words, command
                    assert not site.queue.path.exists(), command
            id = site.ctl(*SENDING, stdin=LETTER)
            site.wait_for(id, State.SENT)
            assert daemon.process.poll() is None


@row(27)
def test_a_reload_makes_no_other_queue_where_the_file_is_gone(site):
    with Scripted() as relay:
        site.configure(SMTP_PORT=relay.port)
        (first,) = site.send()
        with site.daemon() as daemon:
            site.wait_for(first, State.SENT)
            with gone(site):
                daemon.signal(signal.SIGHUP)
                kept = "the old configuration stays in force"
                wait_until(lambda: site.log_lines(kept), what="the reload")
                assert "its file was removed" in site.log_lines(kept)[0]
            (id,) = site.send()
            site.wait_for(id, State.SENT)
            assert daemon.process.poll() is None


@row(27)
def test_a_start_without_a_queue_says_why_and_claims_nothing(site):
    (id,) = site.send()
    site.queue.close()
    keep = site.queue.path.read_bytes()
    site.queue.path.write_bytes(b"this is no database, but text that somebody put here")
    process = site.start()
    assert process.wait(PATIENCE_SECONDS) == 1
    assert b"not a database" in process.communicate()[1]
    site.queue.path.write_bytes(keep)
    assert_untouched(site, id)
