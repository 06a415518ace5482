"""A reload takes another configuration, or says why the old one stays in force."""

from __future__ import annotations

import signal
import threading

import pytest
from servers.catcher import Catcher
from servers.scripted import Hang, Late, Scripted
from waiting import wait_until

from collective.maildrophost.engine.daemon.reload import _load_usable
from collective.maildrophost.engine.queue import State


def test_sighup_takes_the_changed_configuration(site):
    with Catcher() as old, Catcher() as new:
        site.configure(SMTP_PORT=old.port)
        with site.daemon() as daemon:
            site.send()
            old.wait_for(1)
            site.configure(SMTP_PORT=new.port)
            before = daemon.row
            daemon.signal(signal.SIGHUP)
            daemon.wait_for_reload(before)
            site.send()
            new.wait_for(1)
            assert daemon.process.poll() is None
            assert daemon.stop() == 0
        assert len(old.messages) == 1


def test_what_is_odd_in_a_changed_configuration_is_told_in_the_log_that_it_names(site):
    log = site.home / "new.log"
    with site.daemon() as daemon:
        site.configure(MAILDROP_LOG_FILE=log, SMTP_HOTS="relay.example.org")
        daemon.signal(signal.SIGHUP)
        wait_until(lambda: log.exists() and "SMTP_HOTS" in log.read_text())


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("SMTP_PORT", "many"),
        ("MAILDROP_SPOOL", "/proc/nowhere"),
        ("MAILDROP_LOG_FILE", "/proc"),
        ("MAILDROP_QUEUE", "sqlite:////proc/nowhere/queue.db"),
        ("MAILDROP_VAR", "/tmp"),
        ("MAILDROP_PID_FILE", "/tmp/maildrop-elsewhere.pid"),
    ],
)
def test_an_unusable_configuration_is_not_taken_at_sighup(site, option, value):
    with Catcher() as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon() as daemon:
            site.configure(**{option: value})
            daemon.signal(signal.SIGHUP)
            refused = "the old configuration stays in force"
            wait_until(lambda: site.log_lines(refused), what="the error in the log")
            site.send()
            relay.wait_for(1)


def test_no_reload_ends_a_daemon_whose_queue_is_of_a_later_version(site):
    with Catcher() as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon() as daemon:
            with site.queue.write() as tx:
                tx.exec_driver_sql("UPDATE maildrop_schema SET version = 99")
            daemon.signal(signal.SIGHUP)
            refused = "the newer collective.maildrophost here, too; the old config"
            wait_until(lambda: site.log_lines(refused), what="the error in the log")
            site.send()
            relay.wait_for(1)
            assert daemon.process.poll() is None


def test_mail_that_stays_behind_in_another_queue_is_reported(site, unused_port):
    site.configure(SMTP_PORT=unused_port)
    site.send()
    with site.daemon() as daemon:
        site.configure(MAILDROP_QUEUE=f"sqlite:///{site.home}/other.db")
        daemon.signal(signal.SIGHUP)
        told = f"1 messages are in {site.queue.name}, where no daemon"
        wait_until(lambda: site.log_lines(told), what="the word in the log")


def test_files_that_stay_behind_in_another_drop_directory_are_reported(site):
    first, kept = site.home / "first", site.home / "kept"
    site.configure(MAILDROP_SPOOL=f"{first};{kept}")
    with site.daemon() as daemon:
        for directory in first, kept:
            # Locked, so that they are not taken before.
            (directory / "mail.lck").touch()
            (directory / "mail").write_text("##To:b@x.org\n##From:a@x.org\n\nbody\n")
            (directory / "other").write_text("no mail\n")
        before = daemon.row
        site.configure(MAILDROP_SPOOL=kept)
        daemon.signal(signal.SIGHUP)
        told = f"1 mails are in {first}, which is no drop directory"
        wait_until(lambda: site.log_lines(told), what="the word in the log")
        daemon.wait_for_reload(before)
        assert daemon.stop() == 0
    assert site.log.count("is no drop directory") == 1


def test_a_queue_that_cannot_be_read_may_be_given_up_for_another(site):
    in_use, other = site.configuration, f"sqlite:///{site.home}/other.db"
    (site.home / "queue.db").rename(site.home / "away.db")
    site.configure(MAILDROP_QUEUE=other)
    assert _load_usable(in_use, site.queue).queue == other


def test_a_reload_that_is_asked_for_while_another_ends_connections_is_made(site):
    """The mail in flight has been given up, an idle connection waits for QUIT."""
    quiet = {"END": [Late(threading.Event(), "250 ok"), "250 ok"], "QUIT": Hang()}
    with Scripted(quiet) as first, Scripted() as second, Scripted() as third:
        site.configure(SMTP_PORT=first.port, MAILDROP_STOP_TIMEOUT=0.3)
        with site.daemon() as daemon:
            (hangs,) = site.send()
            wait_until(lambda: first.received, what="the content")
            site.wait_for(*site.send(), State.SENT)
            site.configure(SMTP_PORT=second.port)
            daemon.signal(signal.SIGHUP)
            wait_until(lambda: "QUIT" in first.commands, what="the goodbye")
            site.configure(SMTP_PORT=third.port)
            daemon.signal(signal.SIGHUP)
            wait_until(lambda: site.log_lines("stopped"), what="the end of the old one")
            assert site.wait_for(hangs, State.SENT).possible_duplicate
            assert daemon.stop() == 0
    assert site.log.count("started") == 2
    assert (len(second.received), len(third.received)) == (0, 1)
