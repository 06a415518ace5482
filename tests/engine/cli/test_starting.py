"""A daemon that ends as it is started: `start` gives the reason."""

from __future__ import annotations

import os
import sys


def test_a_start_that_fails_gives_the_reason_and_leaves_nothing_running(site):
    (site.home / "queue.db").mkdir()
    ended = site.ctl("start")
    assert ended.status == 1
    assert ended.err.count("\n") == 1
    assert "queue.db" in ended.err
    (site.home / "queue.db").rmdir()
    assert site.ctl("stop").out == "not running\n"


def start_that_dies(site, how: str) -> str:
    """What `start` says when its daemon does that at once."""
    # It dies in the daemon only: this module is in the way of no other command.
    trap = site.home / "trap"
    trap.mkdir()
    (trap / "sitecustomize.py").write_text(
        "import os, sys\n"
        "if sys.orig_argv[-1] == 'run' and 'zdaemon.zdrun' not in sys.orig_argv:\n"
        f"    {how}\n"
    )
    ended = site.ctl("start", PYTHONPATH=os.pathsep.join([str(trap), *sys.path]))
    assert ended.status == 1
    assert ended.err.count("\n") == 1
    return ended.err


def test_a_daemon_that_dies_without_a_word_is_said_to_have_given_no_reason(site):
    said = start_that_dies(site, "os.kill(os.getpid(), 9)")
    assert "the daemon ended at once: it gave no reason (" in said


def test_a_daemon_that_dies_at_once_is_reported_with_its_last_words(site):
    said = start_that_dies(site, "raise SystemExit('the disk fell off')")
    assert "the daemon ended at once: " in said
    assert "the disk fell off" in said
    assert "mail waits in the queue" in said
    assert site.ctl("stop").out == "not running\n"
