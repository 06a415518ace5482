"""What holds for all daemons of a queue together: the rate, a relay's pauses."""

from __future__ import annotations

import contextlib
import time

import pytest
from daemons import daemon_seen
from servers.catcher import Catcher
from servers.certificates import Certificates
from servers.scripted import Scripted
from waiting import wait_until

from collective.maildrophost.engine.metrics.figures import Reader
from collective.maildrophost.engine.queue import (
    RelayPause,
    State,
    clear,
    look,
    moment,
    pause,
    register,
    up_since,
)

INTERVAL = 0.25


def test_the_rate_is_kept_by_all_daemons_together(machines, make_mail):
    sites = machines(2)
    with Scripted() as relay, contextlib.ExitStack() as daemons:
        for site in sites:
            # Half a second of patience is left to a busy machine at either end.
            site.configure(
                SMTP_PORT=relay.port, MAILDROP_RATE=round(60 / INTERVAL), DEBUG=0
            )
            daemons.enter_context(site.daemon())
        began = time.time()
        sites[0].send(*[make_mail(subject=str(number)) for number in range(9)])
        relay.wait_for(9)
        times = [each.time for each in relay.accepted]
        busy = sum(1 for each in relay.conversations if each.received)
    assert times[-1] - began >= 8 * INTERVAL
    assert busy >= 2


def test_without_a_limit_no_row_is_kept(machines, make_mail, queue):
    (site,) = machines(1)
    with Catcher() as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon():
            site.send(make_mail())
            relay.wait_for(1)
    with queue.read() as tx:
        rows = tx.exec_driver_sql("SELECT count(*) FROM maildrop_pace").scalar()
    assert rows == 0


def test_a_fault_that_one_daemon_finds_has_all_pause(machines, make_mail, unused_port):
    sites = machines(2)
    with contextlib.ExitStack() as daemons:
        for site in sites:
            # With a pause long enough to be seen by a busy machine.
            site.configure(SMTP_PORT=unused_port, MAILDROP_RETRY_MIN=3600)
            daemons.enter_context(site.daemon())
        sites[0].send(make_mail())

        # The other one may have found it by itself before it heard of it.
        for site in sites:
            what = "that it pauses"
            wait_until(lambda site=site: site.log_lines("mail waits, next"), what=what)


def test_a_daemon_heeds_what_others_have_found(machines, make_mail, queue):
    (site,) = machines(1)
    with Scripted() as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon():
            # A fault that is there at its start it would know, and not hear of.
            site.wait_for(site.send(make_mail())[0], State.SENT)
            name, now = f"127.0.0.1:{relay.port}", time.time()
            with queue.write() as tx:
                pause(tx, RelayPause(name, "no route", now - 5, now + 200, 3))
            heard = "no route (found by another daemon); mail waits"
            wait_until(lambda: site.log_lines(heard), what="that it pauses, too")
            (id,) = site.send(make_mail())
            with queue.write() as tx:
                clear(tx, name)
            site.wait_for(id, State.SENT)
            freed = f"another daemon has found that relay {name} works again"
            wait_until(lambda: site.log_lines(f" id={id} sent "), what="the line of it")
        assert site.log.index(freed) < site.log.index(f" id={id} sent ")


def test_one_probe_serves_all(machines, make_mail, unused_port, late_relay):
    sites = machines(2)
    with contextlib.ExitStack() as daemons:
        for site in sites:
            site.configure(SMTP_PORT=unused_port)
            daemons.enter_context(site.daemon())
        sites[0].send(make_mail())
        wait_until(lambda: sites[0].pauses, what="the fault")
        with late_relay(unused_port) as relay:
            relay.wait_for(1)
            wait_until(lambda: not sites[0].pauses, what="the end of the fault")
            for number in range(4):
                sites[0].send(make_mail(subject=str(number)))
            relay.wait_for(5)
            for site in sites:
                log = site.log.splitlines()
                # It may yet hear of a fault that the other one was late to write down.
                found = [line for line in log if line.endswith("works again")]
                assert len(found) <= 1


def test_a_daemon_that_has_seen_the_end_of_a_fault_ends_it_for_all(
    machines, make_mail, queue
):
    (site,) = machines(1)
    with Scripted() as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon():
            before = time.time()
            (id,) = site.send(make_mail())
            site.wait_for(id, State.SENT)
            # By another daemon, before that mail, and written down only now.
            found = RelayPause(f"127.0.0.1:{relay.port}", "down", before, before, 1)
            with queue.write() as tx:
                pause(tx, found)
            wait_until(lambda: not site.pauses, what="the end of the fault")


def test_a_machine_that_cannot_reach_the_relay_does_not_stop_the_others(
    machines, make_mail
):
    """The relay's certificate is good for one of them only."""
    broken, well = machines(2)
    with Certificates() as certificates, Scripted(certificates=certificates) as relay:
        for site in (broken, well):
            site.configure(SMTP_PORT=relay.port, MAILDROP_TLS=2, MAILDROP_RETRY_MIN=2)
        well.configure(MAILDROP_TLS_CA_FILE=certificates.ca_file)
        with broken.daemon():
            (id,) = broken.send(make_mail())
            wait_until(lambda: broken.pauses, what="the fault")
            with well.daemon():
                well.wait_for(id, State.SENT)
                wait_until(lambda: not broken.pauses, what="the end of the fault")
                mails = 1
                while not broken.log_lines("but other daemons' mail gets through"):
                    (id,) = broken.send(make_mail())
                    well.wait_for(id, State.SENT)
                    mails += 1
                assert not broken.pauses
                assert not well.log_lines("mail waits")
        assert len(relay.accepted) == mails


def test_the_moment_of_leases_and_turns_is_the_servers(queue):
    with queue.write() as tx:
        assert moment(tx, 12.0) == pytest.approx(time.time(), abs=5.0)


def test_it_is_known_how_long_the_server_has_been_up(queue, postgresql):
    (started,) = postgresql.execute(
        "SELECT extract(epoch FROM pg_postmaster_start_time())::float8"
    )
    with queue.read() as tx:
        assert up_since(tx) == started[0] <= moment(tx, 0.0)


@pytest.fixture
def beats(queue):
    """Registers a daemon that beat `ago` seconds ago, by the clock of the server."""

    def beat(ago: float) -> None:
        with queue.write() as tx:
            register(tx, daemon_seen(moment(tx, 0.0) - ago))

    return beat


def mail_moves(queue, now) -> tuple[bool, bool]:
    """As status and metrics judge it at `now`, the time of their own clock."""
    with queue.read() as tx:
        health, _ = look(tx, now)
    return health.moving, Reader(queue).look(now).health.moving


def test_a_clock_that_is_ahead_takes_no_living_daemon_for_dead(queue, beats):
    beats(1.0)
    assert mail_moves(queue, time.time() + 3600) == (True, True)


def test_a_clock_that_is_behind_takes_no_dead_daemon_for_alive(queue, beats):
    beats(100.0)
    assert mail_moves(queue, time.time() - 3600) == (False, False)
