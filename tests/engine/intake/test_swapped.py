"""What somebody puts in place of a dropped file stops nobody, and is not read."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from engine.halfway import half_way
from engine.intake.drops import MAIL, drop, errors, messages
from waiting import PATIENCE_SECONDS, wait_until

from collective.maildrophost.engine.message import mailfile


@pytest.fixture
def swap(spool, monkeypatch):
    """Somebody else makes another thing of a file once it was looked at."""

    def swapping(path: str, make: Callable[[str], None]) -> None:
        look = os.lstat

        def look_and_swap(name):
            found = look(name)
            if name == path:
                monkeypatch.setattr(os, "lstat", look)
                os.rename(path, f"{spool}/.aside")
                make(path)
            return found

        monkeypatch.setattr(os, "lstat", look_and_swap)

    return swapping


def listen_at(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        os.chdir(os.path.dirname(path))  # a socket's name may not be long
        listening.bind(os.path.basename(path))


@pytest.mark.parametrize("make", [os.mkfifo, listen_at, os.mkdir])
def test_what_is_put_in_place_of_a_file_stops_nobody(
    spool, intake, swap, monkeypatch, caplog, make
):
    monkeypatch.chdir(spool)
    swap(str(drop(spool, "mail-1")), make)
    drop(spool, "mail-2")
    with ThreadPoolExecutor() as threads:
        scan = threads.submit(intake.scan)
        try:
            assert scan.result(PATIENCE_SECONDS) == 1
        finally:
            if not scan.done():  # it waits at the other end of the FIFO
                os.close(os.open(spool / "mail-1", os.O_WRONLY))
    assert errors(caplog) == []


def test_a_link_that_is_put_in_place_of_a_file_is_not_followed(
    queue, spool, tmp_path, intake, swap, caplog
):
    """Its mail may be for nobody's eyes but ours."""
    private = drop(tmp_path, "elsewhere", MAIL.replace(b"hello", b"secret"))
    swap(str(drop(spool, "mail-1")), lambda path: os.symlink(private, path))
    assert intake.scan() == 0
    assert messages(queue) == []
    assert private.exists()
    assert errors(caplog) == []


HOLDS_A_LEASE = """
import fcntl, os, signal, sys

def give_back(*signalled):
    fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_UNLCK)

signal.signal(signal.SIGIO, give_back)
handle = os.open(sys.argv[1], os.O_RDWR)
fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_WRLCK)
stand_still()
"""


@pytest.mark.skipif(not hasattr(fcntl, "F_SETLEASE"), reason="only Linux has leases")
def test_a_file_is_taken_as_soon_as_a_lease_on_it_is_given_back(spool, intake, caplog):
    """A file server holds one while its client may go on writing."""
    leased = drop(spool, "mail-1")
    drop(spool, "mail-2")
    with half_way(HOLDS_A_LEASE, leased):
        assert intake.scan() == 1
        wait_until(intake.scan, what="the file's turn")
    assert not leased.exists()
    assert errors(caplog) == []


def test_a_mail_in_place_of_a_malformed_file_is_not_blamed_for_it(
    queue, spool, intake, monkeypatch, caplog
):
    dropped = drop(spool, "mail-1", b"##To:b@x.org\n##Bogus:x\n\nbody\n")
    parse = mailfile.parse

    def replace_and_parse(data):
        monkeypatch.setattr(mailfile, "parse", parse)
        os.replace(drop(spool, ".new"), dropped)
        return parse(data)

    monkeypatch.setattr(mailfile, "parse", replace_and_parse)
    assert [intake.scan(), intake.scan()] == [0, 1]
    assert len(messages(queue)) == 1
    (told,) = errors(caplog)
    assert "Bogus" in told
