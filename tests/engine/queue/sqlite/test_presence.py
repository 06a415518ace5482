"""While somebody has a queue open, nobody makes another file in its place."""

from __future__ import annotations

import errno
import fcntl
import gc
import os
import signal
import stat
import subprocess
import sys
import threading
from contextlib import ExitStack, closing, contextmanager, suppress

import pytest
from engine.queue.mails import length
from waiting import PATIENCE_SECONDS

from collective.maildrophost.engine.queue import (
    QueueError,
    exists,
    open_queue,
)
from collective.maildrophost.engine.queue.sqlite import presence

WORDS = "removed while others have it open: put it back"
HOLD = """
import sys
from collective.maildrophost.engine.queue import open_queue
queue = open_queue(sys.argv[1])
print("open", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def lock(path):
    return path.with_name(".queue.db.lock")


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(presence, "PATIENCE_SECONDS", 0.1)


@contextmanager
def moved_away(path):
    """As `mv queue.db* elsewhere` does, and back."""
    elsewhere = path.parent.parent / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    files = list(path.parent.glob("queue.db*"))
    for each in files:
        each.rename(elsewhere / each.name)
    yield
    assert not path.exists(), "another one was made"
    for each in files:
        (elsewhere / each.name).rename(each)


@contextmanager
def another_process(url):
    """It has the queue open."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout.readline() == b"open\n"
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@contextmanager
def child(work):
    """A forked child, once it has done `work`; killed at the end."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            work()
            os.write(writing, b"done")
            signal.pause()
        finally:
            os._exit(1)
    os.close(writing)
    try:
        assert os.read(reading, 4) == b"done"
        yield
    finally:
        os.close(reading)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def descriptors(folder):
    """How many are open below it; any that other tests left may go at any time."""
    found = 0
    for each in os.scandir("/proc/self/fd"):
        with suppress(FileNotFoundError):  # that of the look itself
            found += os.readlink(each).startswith(f"{folder}/")
    return found


def assert_refused(url):
    for use in open_queue, exists:
        with pytest.raises(QueueError, match=WORDS) as caught:
            use(url)
        assert "fuser " in str(caught.value), "who has it open is not named"


def test_no_other_queue_is_made_while_this_one_is_open(hands, url, path):
    hands.send()
    with moved_away(path):
        assert_refused(url)
    hands.send()
    with closing(open_queue(url)) as another:
        assert length(another) == 2


def test_no_other_queue_is_made_while_another_process_has_it_open(url, path):
    with another_process(url), moved_away(path):
        assert_refused(url)


def test_a_new_queue_is_made_when_all_its_users_have_ended(queue, url, path):
    with another_process(url):
        queue.close()
        with moved_away(path):
            assert_refused(url)
    path.unlink()
    assert not exists(url)
    with closing(open_queue(url)) as another:
        assert length(another) == 0


def test_a_child_that_is_forked_amid_a_look_keeps_nobody_from_making_a_new_queue(
    url, path, monkeypatch
):
    lock, children = presence.try_lock_where_possible, ExitStack()

    def lock_and_fork(handle, kind):
        children.enter_context(child(lambda: None))
        return lock(handle, kind)

    open_queue(url).close()
    path.unlink()
    with children:
        with monkeypatch.context() as patched:
            patched.setattr(presence, "try_lock_where_possible", lock_and_fork)
            assert not exists(url)
        open_queue(url).close()


def test_a_killed_process_keeps_nobody_from_making_a_new_queue(url, path):
    with another_process(url) as process:
        process.kill()
        process.wait()
        path.unlink()
        open_queue(url).close()
    assert path.exists()


def test_a_queue_that_was_closed_is_open_again_with_its_next_transaction(
    queue, url, path
):
    queue.close()
    length(queue)
    with moved_away(path):
        assert_refused(url)


def test_open_queues_count_though_the_lock_has_gone_with_the_file(
    hands, queue, url, path, lock
):
    hands.send()
    with moved_away(path):
        lock.unlink()
        with pytest.raises(QueueError, match="put it back"):
            length(queue)
        assert_refused(url)
    assert length(queue) == 1


def test_a_child_that_uses_the_queue_has_it_open_when_its_parent_no_longer_has(
    queue, url, path
):
    with child(lambda: length(queue)):
        queue.close()
        with moved_away(path):
            assert_refused(url)


def test_a_child_that_does_not_use_it_keeps_nobody_from_making_a_new_one(
    queue, url, path
):
    with child(lambda: None):
        queue.close()
        path.unlink()
        open_queue(url).close()
    assert path.exists()


def test_a_child_that_ends_does_not_end_the_presence_of_its_parent(queue, url, path):
    with child(queue.close):
        pass
    with moved_away(path):
        assert_refused(url)


def test_a_first_start_waits_for_whoever_only_looks(url, path, lock, monkeypatch):
    waits, pause = threading.Event(), presence.pause
    monkeypatch.setattr(presence, "PATIENCE_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(presence, "pause", lambda turn: waits.set() or pause(turn))
    path.parent.mkdir()
    with lock.open("w") as looking:
        fcntl.flock(looking, fcntl.LOCK_EX)
        opened = []
        thread = threading.Thread(target=lambda: opened.append(open_queue(url)))
        thread.start()
        assert waits.wait(PATIENCE_SECONDS)
        assert not path.exists()
    thread.join()
    opened[0].close()
    assert path.exists()


def test_a_process_that_was_stopped_while_it_made_the_queue_holds_up_nobody_for_long(
    url, path, lock
):
    path.parent.mkdir()
    with lock.open("w") as stopped:
        fcntl.flock(stopped, fcntl.LOCK_EX)
        path.touch()
        open_queue(url).close()


def test_to_look_for_a_queue_makes_no_lock(url, path, lock):
    path.parent.mkdir()
    assert not exists(url)
    assert not lock.exists()


def test_the_lock_is_private_and_stays_when_the_queue_is_closed(queue, url, lock):
    assert stat.S_IMODE(lock.stat().st_mode) == 0o600
    assert lock.stat().st_size == 0
    before = lock.stat().st_ino
    queue.close()
    open_queue(url).close()
    assert lock.stat().st_ino == before


def test_no_link_is_followed_to_the_lock(url, path, lock, tmp_path):
    """Root would make, give away or open whatever a user has it point to."""
    path.parent.mkdir()
    of_root = tmp_path / "of-root"
    lock.symlink_to(of_root)
    with closing(open_queue(url)) as queue:
        assert length(queue) == 0
        assert not of_root.exists()
        queue.close()
        with of_root.open("w") as target:
            length(queue)
            fcntl.flock(target, fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_queue_works_where_the_system_has_no_such_locks(
    url, path, number, monkeypatch
):
    def refuse(handle, kind):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    assert not exists(url)
    with closing(open_queue(url)) as queue:
        assert length(queue) == 0
        assert exists(url)
        path.unlink()
        assert not exists(url)


def test_a_queue_that_is_not_open_leaves_no_handle(url, path):
    open_queue(url).close()
    before = descriptors(path.parent)
    for _ in range(3):
        open_queue(url).close()
        queue = open_queue(url)
        length(queue)
        queue.close()
        queue.close()
        length(queue)
        queue.close()
    path.unlink()
    (path.parent / "queue.db").mkdir()
    with pytest.raises(QueueError):
        open_queue(url)
    assert descriptors(path.parent) == before


def test_a_queue_that_was_forgotten_leaves_no_handle(url, path):
    queue = open_queue(url)
    queue._engine.dispose()
    gc.collect()
    before = descriptors(path.parent)
    del queue
    gc.collect()
    assert descriptors(path.parent) == before - 1


def test_two_queues_in_one_directory_know_nothing_of_each_other(queue, path):
    with closing(open_queue(f"sqlite:///{path.parent}/other.db")) as other:
        assert length(other) == 0
