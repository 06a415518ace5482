"""Full disks and missing permissions: mail waits where it is, then goes by itself."""

from __future__ import annotations

import errno
import os
import re
import signal
import subprocess
from contextlib import contextmanager

import pytest
from engine.faults.permissions import bind
from engine.faults.telling import told
from servers.scripted import Scripted
from waiting import wait_until

from collective.maildrophost.engine.queue import QueueError, State, list_messages

MEGABYTE = 2**20
OK = "250 2.0.0 Ok: queued"


class Disk:
    """A file system of some megabytes, mounted for one test."""

    def __init__(self, path):
        self.path = path

    @contextmanager
    def filled(self, left=0):
        """Nothing more fits but `left` bytes."""
        ballast = self.path / "ballast"
        with ballast.open("wb") as file:
            # Whoever works on it may write between the look and the filling.
            wait_until(lambda: self._fills(file, left), what="a full disk")
        try:
            yield
        finally:
            ballast.unlink()

    def _fills(self, file, left):
        state = os.statvfs(self.path)
        size = state.f_bavail * state.f_frsize - left
        try:
            os.posix_fallocate(file.fileno(), 0, size)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            return False
        return True


@pytest.fixture
def make_disk(tmp_path):
    """Makes disks by their names."""
    mounted = []

    def make(name, megabytes=12):
        path = tmp_path / name
        path.mkdir()
        options = f"size={megabytes}m"
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", path], check=False
        )
        if done.returncode:
            pytest.skip("only root may mount a small disk")
        mounted.append(path)
        return Disk(path)

    yield make
    for path in mounted:
        subprocess.run(["umount", "--lazy", path], check=True)


@pytest.fixture
def site_on(make_site):
    """A site with options that name other disks; to be made before these are full."""
    made = []

    def make(home, **options):
        home.mkdir(exist_ok=True)
        made.append(make_site(home))
        made[-1].configure(**options)
        return made[-1]

    yield make
    for site in made:
        site.queue.close()


def large(make_mail, subject):
    return make_mail(subject=subject, body=f"{'x' * 70}\n" * (MEGABYTE // 71))


def test_a_full_disk_under_the_queue_refuses_mail_and_keeps_what_it_has(
    make_disk, site_on, make_mail
):
    disk = make_disk("disk")
    with Scripted() as relay:
        site = site_on(disk.path, SMTP_PORT=relay.port)
        (kept,) = site.send(make_mail(subject="kept"))
        with disk.filled(), pytest.raises(QueueError, match="disk"):
            site.send(*[large(make_mail, str(number)) for number in range(3)])
        with site.queue.read() as tx:
            assert [each.id for each in list_messages(tx)] == [kept]
        with site.daemon():
            site.wait_for(kept, State.SENT)
            (later,) = site.send(make_mail(subject="later"))
            site.wait_for(later, State.SENT)
        assert len(relay.received) == 2


def test_a_full_disk_under_the_log_stops_no_mail(
    make_disk, site_on, tmp_path, make_mail
):
    disk = make_disk("logs", megabytes=1)
    with Scripted() as relay:
        site = site_on(
            tmp_path / "home",
            SMTP_PORT=relay.port,
            MAILDROP_LOG_FILE=disk.path / "maildrop.log",
        )
        with disk.filled(), site.daemon() as daemon:
            ids = site.send(*[make_mail(subject=str(number)) for number in range(5)])
            for id in ids:
                site.wait_for(id, State.SENT)
            assert daemon.process.poll() is None
        assert len(relay.received) == 5


def test_files_wait_for_room_in_the_queue(make_disk, site_on, tmp_path):
    disk = make_disk("disk")
    spool = tmp_path / "spool"
    spool.mkdir()
    with Scripted() as relay:
        site = site_on(
            disk.path,
            SMTP_PORT=relay.port,
            MAILDROP_SPOOL=spool,
            MAILDROP_INTERVAL=0.2,
            MAILDROP_LOG_FILE=tmp_path / "maildrop.log",
        )
        with site.daemon():
            dropped = spool / "mail-1"
            with disk.filled():
                head = b"##To:b@x.org\n##From:a@x.org\nSubject: dropped\n\n"
                dropped.write_bytes(head + b"x" * 70 + b"\n" + b"y\n" * MEGABYTE)
                log = tmp_path / "maildrop.log"
                words = "dropped files stay"
                wait_until(lambda: words in log.read_text(), what=words)
                assert dropped.exists()
            wait_until(lambda: not dropped.exists(), what="that it is taken")
            relay.wait_for(1)
        assert len(relay.received) == 1


def test_a_file_that_is_too_large_for_the_disk_holds_up_no_other(
    make_disk, site_on, tmp_path
):
    disk = make_disk("disk")
    spool = tmp_path / "spool"
    spool.mkdir()
    log = tmp_path / "maildrop.log"
    with Scripted() as relay:
        site = site_on(
            disk.path,
            SMTP_PORT=relay.port,
            MAILDROP_SPOOL=spool,
            MAILDROP_INTERVAL=0.2,
            MAILDROP_LOG_FILE=log,
        )
        head = b"##To:b@x.org\n##From:a@x.org\nSubject: dropped\n\n"
        with site.daemon():
            with disk.filled(left=3 * MEGABYTE):
                (spool / "a-large").write_bytes(head + b"y\n" * 2 * MEGABYTE)
                wait_until(lambda: "dropped files stay" in log.read_text())
                (spool / "b-small").write_bytes(head + b"body\n")
                relay.wait_for(1)
                wait_until(lambda: os.listdir(spool) == ["a-large"])
                assert log.read_text().count("dropped files stay") == 1
            relay.wait_for(2)


def test_a_file_that_is_too_large_for_the_disk_holds_up_no_run_once(
    make_disk, site_on, tmp_path
):
    disk = make_disk("disk")
    spool = tmp_path / "spool"
    spool.mkdir()
    with Scripted() as relay:
        site = site_on(disk.path, SMTP_PORT=relay.port, MAILDROP_SPOOL=spool)
        (id,) = site.send()
        head = b"##To:b@x.org\n##From:a@x.org\nSubject: dropped\n\n"
        (spool / "a-large").write_bytes(head + b"y\n" * 2 * MEGABYTE)
        (spool / "b-small").write_bytes(head + b"body\n")
        with disk.filled(left=3 * MEGABYTE):
            ended = site.call("run", "--once")
        assert ended.returncode == 1
        assert b"a-large: the disk is full" in ended.stderr
        assert os.listdir(spool) == ["a-large"]
        assert site.message(id).state is State.SENT
        assert len(relay.received) == 2


@contextmanager
def mode(path, bits):
    before = path.stat().st_mode
    path.chmod(bits)
    try:
        yield
    finally:
        path.chmod(before)


def test_a_queue_that_may_not_be_written_is_named_and_its_mail_stays(
    make_site, tmp_path
):
    folder = tmp_path / "queue"
    site = make_site(tmp_path, f"sqlite:///{folder}/queue.db")
    bind(site)
    (id,) = site.send()
    site.queue.close()
    with mode(site.queue.path, 0o400), mode(folder, 0o500):
        ended = site.call("run")
        assert ended.returncode == 1
        assert re.search(b"queue.db: it .* check its .*permissions", ended.stderr)
        assert site.call("send", "-f", "a@x.org", "b@x.org", stdin=b"x").returncode == 1
    with Scripted() as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon():
            site.wait_for(id, State.SENT)
            # Its line in the log comes after the commit, but not if it is killed first.
            assert told(site, id) == [("b", "sent", OK)]
    site.queue.close()


def test_a_log_that_may_not_be_written_is_named_and_nothing_is_claimed(
    site, unprivileged
):
    (id,) = site.send()
    log = site.home / "closed" / "maildrop.log"
    log.parent.mkdir()
    site.configure(MAILDROP_LOG_FILE=log)
    with mode(log.parent, 0o500):
        ended = site.call("run")
    assert ended.returncode == 1
    assert str(log).encode() in ended.stderr
    assert site.message(id).state is State.QUEUED


def test_a_file_that_may_not_be_removed_is_sent_once(site, unprivileged):
    spool = site.home / "spool"
    dropped = spool / "mail-1"
    with Scripted() as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_INTERVAL=0.2)
        with site.daemon() as daemon:
            # Else it may take and remove it before the directory is closed.
            daemon.signal(signal.SIGSTOP)
            dropped.write_bytes(b"##To:b@x.org\n##From:a@x.org\nSubject: once\n\n")
            with mode(spool, 0o500):
                daemon.signal(signal.SIGCONT)
                relay.wait_for(1)
                wait_until(lambda: site.log_lines("mail-1"), what="that it is told")
                (id,) = site.send()
                site.wait_for(id, State.SENT)
                assert dropped.exists()
        with site.daemon():
            wait_until(lambda: not dropped.exists(), what="that it is removed at last")
        assert len(relay.received) == 2
