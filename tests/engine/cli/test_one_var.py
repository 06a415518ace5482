"""Two configurations with one MAILDROP_VAR, which is meant for one."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from commands import PROGRAM, environment
from engine.cli.conftest import Site
from waiting import wait_until


def beside(site: Site, **options: object) -> Site:
    """Another configuration in the same directory."""
    other = Site(site.home)
    other.path = site.home / "other.conf"
    other.configure(**options)
    return other


@pytest.mark.parametrize(
    "own",
    [
        {},
        {"SMTP_HOST": "127.0.0.2"},
        {"MAILDROP_PID_FILE": "{home}/other.pid"},
        {"MAILDROP_QUEUE": "sqlite:///{home}/other.db"},
    ],
)
def test_the_daemon_of_another_configuration_is_not_taken_for_its_own(started, own):
    own = {name: value.format(home=started.home) for name, value in own.items()}
    ended = beside(started, **own).ctl("start")
    assert ended.status == 1
    assert f"is the daemon of {started.path}, which has the same" in ended.err
    assert started.ctl("status").status == 0


def test_a_configuration_that_is_reached_by_a_link_is_the_same(started):
    link = started.home / "link.conf"
    link.symlink_to(started.path)
    started.path = link
    assert started.ctl("start").out.startswith("already running, pid ")


def test_a_daemon_that_was_run_in_another_directory_is_taken_for_its_own(
    site, tmp_path_factory, monkeypatch
):
    run = [*PROGRAM, "--config", site.path.name, "run"]
    with subprocess.Popen(run, cwd=site.home, env=environment()) as daemon:
        try:
            wait_until(lambda: site.ctl("status").status == 0, what="the daemon")
            monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
            Path(site.path.name).touch()
            ended = site.ctl("start")
        finally:
            daemon.terminate()
        assert ended.out == f"already running, pid {daemon.pid}\n"


def test_a_configuration_that_was_moved_is_the_same(started):
    before = started.path
    started.path = before.rename(started.home / "moved.conf")
    said = started.ctl("start").out
    assert said.startswith("already running, pid ")
    # It could not come back after a crash.
    assert f"its file {before} is not there any more: 'restart' starts" in said
    assert started.ctl("restart").status == 0
    assert "not there" not in started.ctl("start").out


@pytest.mark.parametrize("other", [beside, lambda site: site])
def test_a_reload_of_a_file_that_the_daemon_does_not_read_is_refused(started, other):
    before = started.path
    started.path = before.rename(started.home / "moved.conf")
    for _file_is_there in range(2):
        ended = other(started).ctl("reload")
        assert ended.status == 1
        assert f"was started with {before} and reads no other file" in ended.err
        before.write_text(started.path.read_text())
    before.unlink()
    before.symlink_to(started.path)
    assert started.ctl("reload").status == 0


def test_a_configuration_that_takes_the_place_of_another_one_stops_its_daemon(started):
    pid = re.search(r"pid (\d+)", started.ctl("status").out).group(1)
    other = beside(started)
    assert other.ctl("stop").out == f"stopped, pid {pid}\n"
    assert other.ctl("start").status == 0
    assert other.ctl("stop").status == 0
