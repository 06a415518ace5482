"""A daemon that ends as it is started: `start` gives the reason."""

from __future__ import annotations

import os
import sys

import pytest

from collective.maildrophost.engine.cli import starting, zdaemon
from collective.maildrophost.engine.cli.zdaemon import (
    CannotStart,
    Supervised,
    Supervisor,
)


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


@pytest.fixture
def supervisor(site):
    """The zdaemon of a site, before a start."""
    supervisor = Supervisor(site.configuration)
    supervisor.transcript.parent.mkdir()
    return supervisor


def test_what_another_has_left_in_the_place_of_the_settings_is_not_written_to(
    site, supervisor
):
    """Root's, say: it could not be."""
    left, kept = site.home / "var" / "maildrop.zdaemon.conf", site.home / "kept"
    left.write_text("theirs")
    os.link(left, kept)
    assert supervisor._prepare(supervisor.socket_path).samefile(left)
    assert kept.read_text() == "theirs"


def test_what_an_earlier_daemon_said_is_kept_and_not_taken_for_the_last_words(
    supervisor,
):
    said = "the disk fell off\n"
    supervisor.transcript.write_text(said)
    supervisor._prepare(supervisor.socket_path)
    assert supervisor.last_words() == ""
    assert supervisor.transcript.with_suffix(".out.old").read_text() == said


def test_a_daemon_that_has_a_successor_at_the_next_look_has_ended_at_once(
    supervisor, monkeypatch
):
    """On a slow machine zdaemon starts the next one before anybody sees that."""
    seen = iter([Supervised(7, 1, 1.0), Supervised(8, 1, 2.0), None])
    monkeypatch.setattr(Supervisor, "state", lambda self: next(seen))
    with pytest.raises(CannotStart, match="ended at once"):
        starting._wait_for_heartbeat(supervisor)


def test_a_zdaemon_that_waits_after_a_crash_goes_since_it_has_old_settings(
    site, supervisor, monkeypatch
):
    waits, done = Supervised(0, 1, 1.0), []
    monkeypatch.setattr(Supervisor, "state", lambda self: waits)
    monkeypatch.setattr(starting, "end_supervisor", lambda _: done.append("ended"))
    monkeypatch.setattr(Supervisor, "launch", lambda self: done.append("launched"))
    monkeypatch.setattr(starting, "_wait_for_heartbeat", lambda _: 7)
    starting.start(site.configuration)
    assert done == ["ended", "launched"]


def test_a_daemon_finds_the_program_where_a_neighbour_fixes_the_namespace(site):
    # As the `-nspkg.pth` of a package that an old setuptools has installed.
    neighbours = site.home / "neighbours"
    (neighbours / "collective").mkdir(parents=True)
    (neighbours / "sitecustomize.py").write_text(
        "import importlib.machinery, importlib.util, sys\n"
        "finder = importlib.machinery.PathFinder\n"
        f"spec = finder.find_spec('collective', [{str(neighbours)!r}])\n"
        "sys.modules['collective'] = importlib.util.module_from_spec(spec)\n"
    )
    search = os.pathsep.join([str(neighbours), *sys.path])
    assert site.ctl("start", PYTHONPATH=search).status == 0
    assert site.ctl("stop").status == 0


def test_nothing_is_imported_from_where_somebody_types_start(
    site, supervisor, monkeypatch
):
    """Python 3.10 does not know the variable that keeps that directory out."""
    known = zdaemon.interpreter_environment
    monkeypatch.setattr(
        zdaemon,
        "interpreter_environment",
        lambda environ: {**known(environ), "PYTHONSAFEPATH": ""},
    )
    theirs = site.home / "theirs"
    theirs.mkdir()
    (theirs / "logging.py").write_text("raise SystemExit('this is theirs')\n")
    monkeypatch.chdir(theirs)
    supervisor.launch()
    assert site.ctl("stop").status == 0
