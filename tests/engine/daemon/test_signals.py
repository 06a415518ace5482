"""What a daemon does at each signal, and what it leaves behind when it ends."""

from __future__ import annotations

import re
import signal
import threading
import time
from pathlib import Path

import pytest
from engine.halfway import half_way
from servers.catcher import Catcher
from servers.scripted import Hang, Late, Scripted
from waiting import PATIENCE_SECONDS, wait_until

from collective.maildrophost.engine.queue import State
from collective.maildrophost.engine.system.signals import HEEDED


def test_sigterm_stops_cleanly(site):
    with site.daemon() as daemon:
        assert daemon.stop() == 0
    assert site.daemons == []
    assert site.log.rstrip().endswith("stopped")
    assert list((site.home / "var").iterdir()) == [site.home / "var" / "maildrop.log"]


def test_a_pid_file_that_leads_elsewhere_overwrites_nothing(site):
    mail = site.home / "mail"
    mail.write_text("precious")
    (site.home / "var").mkdir()
    (site.home / "var" / "maildrop.pid").symlink_to(mail)
    with site.daemon() as daemon:
        assert (site.home / "var" / "maildrop.pid").read_text() == f"{daemon.pid}\n"
    assert mail.read_text() == "precious"


def test_the_pid_file_of_a_daemon_that_came_later_stays(site):
    pid_file = site.home / "var" / "maildrop.pid"
    with site.daemon() as first, site.daemon(wait=False) as second:
        second.wait_for_heartbeat()
        assert first.stop() == 0
        assert pid_file.read_text() == f"{second.pid}\n"
        assert second.stop() == 0
    assert not pid_file.exists()


def test_sigint_stops_cleanly(site):
    with site.daemon() as daemon:
        daemon.signal(signal.SIGINT)
        assert daemon.process.wait(PATIENCE_SECONDS) == 0


STARTS = """
import sys
from collective.maildrophost.engine.cli import main

class Waits:
    def find_spec(self, name, path=None, target=None):
        if name == "collective.maildrophost.engine.daemon":
            sys.meta_path.remove(self)
            stand_still()

sys.meta_path.insert(0, Waits())
sys.exit(main(["--config", sys.argv[1], "run"]))
"""


def test_a_stop_while_modules_are_loaded_is_heeded_afterwards(site):
    """For the first process of a container a signal without a handler is lost."""
    with half_way(STARTS, site.path) as starting:
        starting.send_signal(signal.SIGTERM)
        starting.communicate(timeout=PATIENCE_SECONDS)
        assert starting.returncode == 0
    assert site.log.rstrip().endswith("stopped")


def test_a_mail_in_flight_is_finished_before_the_stop(told, manager):
    answered = threading.Event()
    with Scripted({"END": Late(answered, "250 2.0.0 Ok")}) as relay:
        told.configure(SMTP_PORT=relay.port, MAILDROP_STOP_TIMEOUT=60)
        with told.daemon() as daemon:
            assert manager.next()["READY"] == "1"
            (id,) = told.send()
            wait_until(lambda: relay.received, what="the content")
            daemon.signal(signal.SIGTERM)
            assert manager.next() == {"STOPPING": "1"}
            (waits,) = told.send()
            answered.set()
            assert daemon.process.wait(PATIENCE_SECONDS) == 0
    assert told.message(id).state is State.SENT
    assert not told.message(id).possible_duplicate
    assert told.message(waits).state is State.QUEUED


@pytest.mark.parametrize("phase", ["GREETING", "EHLO"])
def test_a_stop_waits_for_no_relay_that_says_nothing(site, phase):
    """Nothing of the mail was offered, so nobody may take it for a duplicate."""
    with Scripted({phase: Hang()}) as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_STOP_TIMEOUT=3600)
        with site.daemon() as daemon:
            (id,) = site.send()
            wait_until(lambda: relay.conversations, what="the connection")
            assert daemon.stop() == 0
    record = site.message(id)
    assert (record.state, record.possible_duplicate) == (State.QUEUED, False)
    assert record.attempts == 0


def test_a_mail_that_does_not_end_in_time_stays_as_a_possible_duplicate(site):
    with Scripted({"END": Late(threading.Event(), "250 2.0.0 Ok")}) as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_STOP_TIMEOUT=0.3)
        with site.daemon() as daemon:
            (id,) = site.send()
            wait_until(lambda: relay.received, what="the content")
            assert daemon.stop() == 0
    record = site.message(id)
    assert (record.state, record.possible_duplicate) == (State.QUEUED, True)
    assert site.log_lines("1 mails in flight did not end within 0.3 s")


@pytest.mark.parametrize("receivers", ["", "d@example.org,e@example.org"])
def test_a_mail_whose_dot_has_not_left_in_time_goes_back_as_it_was(site, receivers):
    script = {"RCPT:d@example.org": "550 5.1.1 no", "DATA": Hang()}
    with Scripted(script) as relay:
        site.configure(
            SMTP_PORT=relay.port, MAILDROP_STOP_TIMEOUT=0.3, DEBUG_RECEIVER=receivers
        )
        with site.daemon() as daemon:
            (id,) = site.send()
            wait_until(lambda: "DATA" in relay.commands, what="the commands")
            assert daemon.stop() == 0
    record = site.message(id)
    assert (record.state, record.possible_duplicate) == (State.QUEUED, False)
    assert record.attempts == 0


def test_of_mail_cut_short_what_the_relay_refused_is_written(site, make_mail):
    with Scripted({"RCPT:d@example.org": "550 5.1.1 no", "DATA": Hang()}) as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_STOP_TIMEOUT=0.3)
        with site.daemon() as daemon:
            (id,) = site.send(make_mail("d@example.org", "e@example.org"))
            wait_until(lambda: "DATA" in relay.commands, what="the commands")
            assert daemon.stop() == 0
    record = site.message(id)
    assert [each.state.value for each in record.recipients] == ["failed", "pending"]
    assert (record.due <= time.time(), record.possible_duplicate) == (True, False)


def test_the_log_goes_on_in_a_new_file_when_the_old_one_is_renamed(site):
    log = site.home / "var" / "maildrop.log"
    with Catcher() as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon():
            site.send()
            wait_until(lambda: site.log_lines(" id=1 sent "), what="the first line")
            log.rename(log.with_suffix(".log.1"))
            site.send()
            wait_until(lambda: site.log_lines(" id=2 sent "), what="the next line")
    assert "id=1" not in site.log


def test_the_heartbeat_says_who_works_on_the_queue(site):
    before = time.time()
    with site.daemon() as daemon:
        row = daemon.row
    assert row.pid == daemon.pid
    assert before <= row.started <= row.seen <= time.time()
    assert row.alive(time.time())


def test_the_next_daemon_removes_the_row_of_a_killed_one(site):
    with site.daemon() as first:
        first.kill()
    assert [each.pid for each in site.daemons] == [first.pid]
    with site.daemon() as second:
        assert [each.pid for each in site.daemons] == [second.pid]


def test_many_signals_at_any_moment_do_not_kill_the_daemon(site):
    with Catcher() as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon() as daemon:
            # Some of them come while one loop has ended and the next has not begun.
            for count in range(1, 4):
                for _ in range(20):
                    daemon.signal(signal.SIGHUP)
                site.send()
                relay.wait_for(count)
            assert daemon.process.poll() is None
            assert daemon.stop() == 0
    assert site.daemons == []


def kept_from_signals(thread: Path) -> bool:
    """Whether all signals that the daemon heeds go to other threads."""
    status = (thread / "status").read_text()
    (blocked,) = re.findall(r"^SigBlk:\s*(\w+)$", status, re.MULTILINE)
    return all(int(blocked, 16) >> (number - 1) & 1 for number in HEEDED)


def test_signals_go_to_the_first_thread_alone(site):
    """Any other would take what has to wait while nobody can handle it."""
    with site.daemon() as daemon:
        tasks = Path(f"/proc/{daemon.pid}/task")
        first = tasks / str(daemon.pid)
        wait_until(lambda: not kept_from_signals(first), what="that it hears signals")
        # For a moment a new thread hears what the first one hears.
        wait_until(
            lambda: (
                (others := set(tasks.iterdir()) - {first})
                and all(map(kept_from_signals, others))
            ),
            what="other threads, all kept from signals",
        )


@pytest.mark.parametrize(
    "signals", [(signal.SIGHUP, signal.SIGTERM), (signal.SIGTERM, signal.SIGHUP)]
)
def test_a_stop_in_the_middle_of_a_reload_is_a_stop(signals, told, manager):
    answered = threading.Event()
    with Scripted({"END": Late(answered, "250 2.0.0 Ok")}) as relay:
        told.configure(SMTP_PORT=relay.port, MAILDROP_STOP_TIMEOUT=60)
        with told.daemon() as daemon:
            (id,) = told.send()
            wait_until(lambda: relay.received, what="the content")
            for number in signals:
                daemon.signal(number)
            wait_until(lambda: manager.next() == {"STOPPING": "1"}, what="the stop")
            (waits,) = told.send()
            answered.set()
            assert daemon.process.wait(PATIENCE_SECONDS) == 0
    assert told.message(id).state is State.SENT
    assert told.message(waits).state is State.QUEUED


def test_a_second_sigterm_does_not_make_a_clean_stop_a_failure(site):
    with site.daemon() as daemon:
        for _ in range(20):
            daemon.signal(signal.SIGTERM)
        assert daemon.process.wait(PATIENCE_SECONDS) == 0


def test_a_stop_right_behind_a_reload_is_never_lost(site):
    for _ in range(8):
        with site.daemon() as daemon:
            daemon.signal(signal.SIGHUP)
            assert daemon.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_full_drop_directory_holds_up_no_stop_and_no_reload(site, full_spool, number):
    with site.daemon() as daemon:
        wait_until(lambda: site.log_lines("taken from"), what="the first of the files")
        daemon.signal(number)
        wait_until(lambda: site.log_lines("stopped"), what="the end of the old one")
    assert site.log.partition("stopped")[0].count("taken from") < full_spool
