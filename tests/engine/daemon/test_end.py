"""Why a daemon has ended is in its log, whatever else goes wrong at its end."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

from engine.processes import children, waits_for_lock
from servers.scripted import Hang, Late, Scripted
from waiting import PATIENCE_SECONDS, wait_until

from collective.maildrophost.engine.large import LARGE_OCTETS
from collective.maildrophost.engine.queue import State, claim, recover
from collective.maildrophost.engine.queue.putoff import SHORTEST_SECONDS

# The daemon with a part that meets what nobody has thought of.
BROKEN = """
import sys
from collective.maildrophost.engine.cli import main
from collective.maildrophost.engine.daemon import clockwatch

def broken(*arguments):
    # Since Python 3.13 a traceback has the lines of -c.
    raise RuntimeError(" ".join(["some", "words", "of", "a", "mail"]))

clockwatch.pull_back = broken
sys.exit(main(sys.argv[1:]))
"""


def test_an_unexpected_error_is_logged_with_its_place_and_without_its_words(site):
    site.program = (sys.executable, "-c", BROKEN)
    process = site.start()
    process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 1
    assert site.log_lines("the daemon ends: unexpected RuntimeError")
    assert "in broken" in site.log
    assert "some words" not in site.log


def test_a_stop_without_the_queue_is_a_clean_one(told, manager):
    with told.daemon() as daemon:
        assert "READY" in manager.next()
        (told.home / "queue.db").rename(told.home / "away.db")
        assert daemon.stop() == 0
    assert told.log_lines("goes back once a daemon sees")
    assert told.log.rstrip().endswith("stopped")


def test_a_stop_that_waits_for_a_locked_queue_says_so(site):
    """And it speaks of no duplicates, as nothing is in flight."""
    site.configure(MAILDROP_STOP_TIMEOUT=0.3, MAILDROP_INTERVAL=0.1)
    with site.daemon() as daemon:
        (books,) = children(daemon.pid)
        with site.queue.write():
            wait_until(lambda: waits_for_lock(books), what="a look for new mail")
            daemon.signal(signal.SIGTERM)
            wait_until(lambda: site.log_lines("no mail is in flight"), what="the word")
            assert site.log_lines("not answered within 0.3 s: the daemon waits")
        assert daemon.process.wait(PATIENCE_SECONDS) == 0
    assert not site.log_lines("duplicates")


# The daemon where a stop waits for nothing, and comes while mail is claimed.
CLAIMING = """
import os, signal, sys, time
from pathlib import Path
from collective.maildrophost.engine.cli import main
from collective.maildrophost.engine.delivery import books

claim = books._claim

def claim_late(*arguments):
    answer = claim(*arguments)
    if answer.claims:
        os.kill(os.getppid(), signal.SIGTERM)
        while "no mail is in flight" not in Path(LOG).read_text():
            time.sleep(0.005)
    return answer

books._claim = claim_late
sys.exit(main(sys.argv[1:]))
"""


def test_mail_that_is_claimed_at_the_end_of_a_stop_goes_back_as_it_was(site):
    """No connection ever had it, so nobody may take it for a duplicate."""
    log = str(site.home / "var" / "maildrop.log")
    site.program = (sys.executable, "-c", CLAIMING.replace("LOG", repr(log)))
    site.configure(MAILDROP_STOP_TIMEOUT=0)
    with site.daemon() as daemon:
        (id,) = site.send()
        assert daemon.process.wait(PATIENCE_SECONDS) == 0
    record = site.message(id)
    assert (record.state, record.possible_duplicate) == (State.QUEUED, False)


# The daemon with less time for its queue at the end.
HURRIED = """
import sys
from collective.maildrophost.engine.cli import main
from collective.maildrophost.engine.daemon import service

service.QUEUE_SECONDS = 0.2
sys.exit(main(sys.argv[1:]))
"""


def test_a_queue_that_stays_locked_is_not_waited_for_longer_than_supervisors_do(site):
    site.configure(MAILDROP_STOP_TIMEOUT=0.1, MAILDROP_INTERVAL=0.1)
    site.program = (sys.executable, "-c", HURRIED)
    with site.daemon() as daemon:
        (books,) = children(daemon.pid)
        with site.queue.write():
            wait_until(lambda: waits_for_lock(books), what="a look for new mail")
            daemon.signal(signal.SIGTERM)
            assert daemon.process.wait(PATIENCE_SECONDS) == 0
    assert site.log_lines("keeps it locked, and is no longer waited for")


def test_the_last_verdict_is_written_though_the_stop_does_not_wait_for_it(site):
    answered = threading.Event()
    site.program = (sys.executable, "-c", HURRIED)
    with Scripted({"END": Late(answered, "250 2.0.0 Ok")}) as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_STOP_TIMEOUT=0.5)
        with site.daemon() as daemon:
            (books,) = children(daemon.pid)
            (id,) = site.send()
            wait_until(lambda: relay.received, what="the content")
            with site.queue.write():
                answered.set()
                wait_until(lambda: waits_for_lock(books), what="the verdict")
                daemon.signal(signal.SIGTERM)
                assert daemon.process.wait(PATIENCE_SECONDS) == 0
            assert site.log_lines("goes on trying to write the last verdicts")
            message = site.wait_for(id, State.SENT)
    assert not message.possible_duplicate


def test_a_queue_that_is_gone_does_not_hide_why_the_daemon_ends(site):
    gone = "def broken(*arguments):\n    __import__('os').rename(PATH, PATH + '.away')"
    program = BROKEN.replace("def broken(*arguments):", gone)
    path = str(site.home / "queue.db")
    site.program = (sys.executable, "-c", program.replace("PATH", repr(path)))
    process = site.start()
    _, said = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 1
    assert said.rstrip().endswith(b"RuntimeError: some words of a mail")
    assert site.log_lines("the daemon ends: unexpected RuntimeError")


def test_a_daemon_that_ends_by_an_error_puts_off_the_large_mail_that_it_had(
    site, make_mail
):
    """Another one had it before, and nothing else tells what has filled the memory."""
    with Scripted({"END": Hang()}) as relay:
        site.configure(SMTP_PORT=relay.port)
        (id,) = site.send(make_mail(body="x\n" * LARGE_OCTETS))
        with site.queue.write() as tx:
            claim(tx, "one before", [int(id)], time.time())
            recover(tx, "one before")
        with site.daemon() as daemon:
            site.wait_for(id, State.SENDING)
            (books,) = children(daemon.pid)
            ends = time.time()
            os.kill(books, signal.SIGKILL)
            site.send()
            assert daemon.process.wait(PATIENCE_SECONDS) == 1
    assert site.message(id).due >= ends + SHORTEST_SECONDS


def test_a_stop_that_finds_its_bookkeeper_gone_is_no_clean_one(site):
    with Scripted({"DATA": Hang()}) as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_STOP_TIMEOUT=0.3)
        with site.daemon() as daemon:
            (id,) = site.send()
            wait_until(lambda: "DATA" in relay.commands, what="the commands")
            (books,) = children(daemon.pid)
            os.kill(books, signal.SIGKILL)
            assert daemon.stop() == 1
    assert site.log_lines("the daemon ends: the process that writes to the queue")
    assert site.message(id).state is State.QUEUED
