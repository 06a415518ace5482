"""Rows 29 and 30: what cannot be mail is refused, or left where it is."""

from __future__ import annotations

import os
import threading

import pytest
from engine.faults.telling import told
from engine.processes import memory
from servers.scripted import Scripted
from waiting import wait_until

from collective.maildrophost.engine.intake.candidates import LARGEST_FILE_BYTES
from collective.maildrophost.engine.queue import State, list_messages

row = pytest.mark.row
LETTER = b"Subject: hello\n\nbody\n"
MAIL = b"##To:b@x.org\n##From:a@x.org\n" + LETTER
# Of memory: less than a large file has, or a file whose every line costs something.
MOST_OCTETS = 150_000 * 1024

SENDINGS = {
    "a line break in a recipient": ("-f", "a@x.org", "b@x.org\nRCPT TO:<c@x.org>"),
    "CRLF in the sender": ("-f", "a@x.org\r\nRCPT TO:<c@x.org>", "b@x.org"),
    "a CR alone": ("-f", "a@x.org", "b@x.org\r"),
    "no recipient": ("-f", "a@x.org"),
    "an empty recipient": ("-f", "a@x.org", ""),
    "no local part": ("-f", "a@x.org", "@x.org"),
    "no domain after the @": ("-f", "a@x.org", "b@"),
    "blanks": ("-f", "a@x.org", "b c@x.org"),
    "octets that are no text": ("-f", "a@x.org", b"\xff@x.org"),
    "a line break in a lane": ("-f", "a@x.org", "b@x.org", "--lane", "bulk\nbulk"),
    "a line break in a time": ("-f", "a@x.org", "b@x.org", "--at", "2035-01-01\n"),
}


@row(29)
@pytest.mark.parametrize("kind", SENDINGS)
def test_an_impossible_envelope_is_refused_and_nothing_is_queued(exchange, kind):
    exchange.relay.follow()
    ended = exchange.site.call("send", *SENDINGS[kind], stdin=LETTER)
    assert ended.returncode == 2
    assert ended.stdout == b""
    assert ended.stderr.strip()
    assert b"Traceback" not in ended.stderr
    with exchange.site.queue.read() as tx:
        assert list_messages(tx) == []
    assert exchange.relay.conversations == []


@row(29)
@pytest.mark.parametrize(
    ("reply", "state"), [("250 2.1.5 ok", State.SENT), ("550 5.1.1 no", State.FAILED)]
)
def test_a_bare_local_part_is_for_the_relay_to_judge(exchange, reply, state):
    exchange.relay.follow({"RCPT:root": reply})
    id = exchange.site.ctl("send", "-f", "", "root", stdin=LETTER)
    record = exchange.site.wait_for(id, state)
    assert [each.address for each in record.recipients] == ["root"]
    assert "RCPT TO:<root>" in exchange.relay.commands


DROPPED = {
    "a CR in a recipient": b"##To:b@x.org\rRCPT TO:<c@x.org>\n##From:a@x.org\n\nx",
    "a NUL in a recipient": b"##To:b\0@x.org\n##From:a@x.org\n\nx",
    "a NUL in the sender": b"##To:b@x.org\n##From:a@x.org\0\n\nx",
    "no recipient": b"##To:\n##From:a@x.org\n" + LETTER,
    "no sender": b"##To:b@x.org\n" + LETTER,
    "no message": b"##To:b@x.org\n##From:a@x.org\n",
    "nothing after the first line": b"##To:b@x.org",
    "an unknown line": b"##To:b@x.org\n##From:a@x.org\n##Run:rm\n" + LETTER,
    "octets that are no text": b"##To:\xff@x.org\n##From:a@x.org\n" + LETTER,
}


@pytest.fixture
def spool(site):
    site.configure(MAILDROP_INTERVAL=0.2)
    spool = site.home / "spool"
    spool.mkdir()
    return spool


def drop(spool, name, data=MAIL):
    """As a program does that knows no locks: written under another name, then moved."""
    hidden = spool / f".{name}"
    hidden.write_bytes(data)
    return hidden.rename(spool / name)


def scanned(relay, spool, count):
    """Wait until the whole drop directory was looked through once more."""
    drop(spool, f"zz-{count}")
    relay.wait_for(count)


@row(29, 30)
def test_a_file_that_is_no_mail_is_reported_once_and_left_alone(site, spool):
    bad = [drop(spool, f"bad-{n}", data) for n, data in enumerate(DROPPED.values())]
    with Scripted() as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon() as daemon:
            for count in (1, 2, 3):
                scanned(relay, spool, count)
            assert daemon.process.poll() is None
        assert len(relay.received) == 3
    for path, data in zip(bad, DROPPED.values(), strict=True):
        assert path.read_bytes() == data
        (line,) = site.log_lines(f"{path} ")
        assert "is left where it is" in line
        assert "ERROR" in line
    assert len(site.log_lines(" ERROR ")) == len(bad)


@row(30)
def test_a_file_that_cannot_be_read_is_reported_once_and_taken_when_it_can(
    site, spool, unprivileged
):
    secret = drop(spool, "aa-secret", MAIL.replace(b"hello", b"secret"))
    secret.chmod(0)
    with Scripted() as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon():
            for count in (1, 2):
                scanned(relay, spool, count)
            assert secret.exists()
            (line,) = site.log_lines(f"{secret} ")
            assert "Permission denied" in line
            secret.chmod(0o600)
            relay.wait_for(3)
            wait_until(lambda: not secret.exists(), what="the end of the file")
    assert b"Subject: secret" in relay.received[-1].content


@row(30)
def test_a_huge_file_is_reported_once_and_not_read(site, spool):
    huge = drop(spool, "aa-huge")
    os.truncate(huge, LARGEST_FILE_BYTES + 1)
    with Scripted() as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon() as daemon:
            for count in (1, 2):
                scanned(relay, spool, count)
            (line,) = site.log_lines(f"{huge} ")
            assert "more than the 256 MB that are taken" in line
            assert memory(daemon.pid, "VmHWM") < MOST_OCTETS, "it was read"
    assert huge.exists()


@row(30)
def test_a_log_that_looks_like_headers_is_sent_as_any_mail(site, spool):
    line, count = b"INFO: all well\n", 500_000
    drop(spool, "aa-log", MAIL.replace(LETTER, line * count))
    with Scripted() as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon() as daemon:
            relay.wait_for(1)
            assert memory(daemon.pid, "VmHWM") < MOST_OCTETS, (
                "as much as for each of its lines"
            )
    assert relay.received[0].content.count(line.rstrip()) == count


@row(30)
def test_files_that_come_and_vanish_disturb_nobody(site, spool):
    over = threading.Event()

    def disturb():
        count = 0
        while not over.is_set():
            count += 1
            path = drop(spool, f"m{count % 7}")
            over.wait(0.001)
            path.unlink(missing_ok=True)

    with Scripted() as relay:
        site.configure(SMTP_PORT=relay.port)
        disturber = threading.Thread(target=disturb)
        with site.daemon() as daemon:
            disturber.start()
            try:
                for count in (1, 2, 3):
                    scanned(relay, spool, count)
            finally:
                over.set()
                disturber.join()
            assert daemon.process.poll() is None
    assert site.log_lines(" ERROR ") == []
    assert site.log_lines("Traceback") == []


@row(30)
def test_a_drop_directory_that_goes_away_is_reported_once_and_used_again(site, spool):
    with Scripted() as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon():
            scanned(relay, spool, 1)
            wait_until(lambda: list(spool.iterdir()) == [], what="an empty directory")
            spool.rmdir()
            wait_until(lambda: site.log_lines(f"{spool} cannot be read"))
            (id,) = site.send()
            site.wait_for(id, State.SENT)
            assert told(site, id)[0][1] == "sent"
            spool.mkdir()
            scanned(relay, spool, 3)
    assert len(site.log_lines(" ERROR ")) == 1
