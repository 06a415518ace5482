"""The supervised daemon: started and stopped."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from commands import PROGRAM, SECONDS, environment
from engine.cli.conftest import manager_of, pid_of
from servers.catcher import Catcher
from servers.scripted import Late, Scripted
from waiting import PATIENCE_SECONDS, wait_until

from collective.maildrophost.engine.cli.processes import lives

SRC = Path(__file__).parents[3] / "src"


def kill_the_daemon(site) -> None:
    """kill -9 of the daemon with its zdaemon: nothing is tidied up."""
    pid, manager = pid_of(site.ctl("status").out), manager_of(site)
    os.kill(manager, signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not lives(pid), what="the end of the daemon")


def test_a_started_daemon_works_and_delivers(site):
    with Catcher() as catcher:
        site.configure(SMTP_PORT=catcher.port)
        ended = site.ctl("start")
        assert ended.status == 0, ended.err
        assert lives(pid_of(ended.out))
        id = site.send()
        catcher.wait_for(1)
        wait_until(lambda: site.state_of(id) == "sent", what="the record")
        assert "250 2.0.0 Ok" in site.ctl("show", id).out
        assert site.ctl("show", id, "--raw").status == 1


def test_nobody_else_can_write_what_start_and_daemon_make(site):
    """With a umask of 0: whoever can write zdaemon's file chooses what it runs."""
    var = site.configuration.var
    var.mkdir(mode=0o755)
    started = subprocess.run(
        [*PROGRAM, "--config", str(site.path), "start"],
        env=environment(),
        umask=0,
        check=False,
    )
    assert started.returncode == 0
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in var.iterdir()}
    assert {"maildrop.log", "maildrop.pid", "maildrop.zdaemon.conf"} <= set(modes)
    assert {name: oct(mode) for name, mode in modes.items() if mode & 0o002} == {}


def test_a_second_start_says_that_it_runs_already(started):
    pid = pid_of(started.ctl("status").out)
    ended = started.ctl("start")
    assert ended.status == 0
    assert ended.out == f"already running, pid {pid}\n"


def test_a_daemon_that_somebody_runs_is_not_started_again(site):
    with site.background("run") as daemon:
        wait_until(lambda: site.ctl("status").status == 0, what="the daemon")
        assert site.ctl("start").out == f"already running, pid {daemon.pid}\n"
        assert f"pid {daemon.pid}" in site.ctl("fg").err


def test_run_once_does_not_count_as_a_daemon_that_runs_already(site):
    answered = threading.Event()
    with Scripted({"END": Late(answered, "250 2.0.0 Ok")}) as relay:
        site.configure(SMTP_PORT=relay.port)
        site.send()
        with site.background("run", "--once") as once:
            wait_until(lambda: relay.received, what="the content")
            assert site.ctl("status").status == 0
            assert site.ctl("reload").status == 1
            assert site.ctl("start").out.startswith("started, pid ")
            assert site.ctl("restart").status == 0
            assert once.process.poll() is None
            answered.set()
            assert once.process.wait(PATIENCE_SECONDS) == 0
    assert site.ctl("status").status == 0


def test_stop_ends_a_daemon_that_somebody_runs(site):
    with site.background("run") as daemon:
        wait_until(lambda: site.ctl("status").status == 0, what="the daemon")
        assert site.ctl("stop").out == (
            f"stopped, pid {daemon.pid}; it was not started with 'start'\n"
        )
        assert daemon.process.wait(PATIENCE_SECONDS) == 0


def test_stop_ends_daemon_and_zdaemon(started):
    pid, manager = pid_of(started.ctl("status").out), manager_of(started)
    ended = started.ctl("stop")
    assert (ended.status, ended.out) == (0, f"stopped, pid {pid}\n")
    assert not lives(pid)
    assert not lives(manager)
    assert started.ctl("status").status == 3


def test_stop_is_fine_when_nothing_runs(site):
    ended = site.ctl("stop")
    assert (ended.status, ended.out, ended.err) == (0, "not running\n", "")


def test_what_a_killed_daemon_leaves_does_not_block_a_start(started):
    kill_the_daemon(started)
    ended = started.ctl("start")
    assert ended.status == 0, ended.err
    assert ended.out.startswith("started, pid ")
    assert started.ctl("status").status == 0


def test_a_pid_file_that_names_another_process_is_no_daemon(site):
    (site.home / "var").mkdir()
    (site.home / "var" / "maildrop.pid").write_text(f"{os.getpid()}\n")
    assert site.ctl("stop").out == "not running\n"
    assert site.ctl("start").out.startswith("started, pid ")


def test_the_daemon_of_another_directory_is_named(started):
    pid = pid_of(started.ctl("status").out)
    changed = {"MAILDROP_VAR": str(started.home / "other")}
    try:
        for command in ("stop", "reload", "restart"):
            ended = started.ctl(command, **changed)
            assert f"'kill {pid}'" in ended.err
        assert lives(pid)
    finally:
        started.ctl("stop", **changed)


@pytest.mark.parametrize("command", ["start", "reload", "restart"])
def test_what_the_daemon_would_refuse_is_an_error_of_the_configuration(
    started, command
):
    oauth = {
        "MAILDROP_AUTH": "xoauth2",
        "MAILDROP_LOGIN": "me",
        "MAILDROP_OAUTH_TOKEN_URL": "https://127.0.0.1:1/token",
        "MAILDROP_OAUTH_CLIENT_ID": "id",
        "MAILDROP_OAUTH_CLIENT_SECRET_FILE": started.home / "missing",
    }
    pid = pid_of(started.ctl("status").out)
    if command == "start":
        started.ctl("stop")
    started.configure(**oauth)
    ended = started.ctl(command)
    assert ended.status == 2
    assert "MAILDROP_OAUTH_CLIENT_SECRET_FILE" in ended.err
    assert lives(pid) is (command != "start"), "nobody stopped it for nothing"


def test_directories_of_log_and_pid_file_are_made(site):
    files = {"LOG": "logs/here/a.log", "PID": "run/a.pid"}
    site.configure(
        **{f"MAILDROP_{name}_FILE": site.home / path for name, path in files.items()}
    )
    assert site.ctl("start").status == 0
    for path in files.values():
        assert (site.home / path).exists()


@pytest.mark.parametrize("name", ["spool", "var"])
@pytest.mark.parametrize("command", ["start", "run"])
def test_a_directory_that_cannot_be_written_is_named(command, name, site):
    (site.home / name).write_text("a file is in the way")
    ended = site.ctl(command)
    (site.home / name).unlink()
    assert ended.status == 1
    assert ended.err.count("\n") == 1
    assert f"MAILDROP_{name.upper()}" in ended.err
    assert str(site.home / name) in ended.err


def test_a_deep_directory_is_no_obstacle(site):
    var = site.home / ("deep" * 20) / ("deeper" * 20)
    var.mkdir(parents=True)
    site.configure(MAILDROP_VAR=var)
    for _ in range(2):
        assert site.ctl("start").status == 0
        assert site.ctl("start").out.startswith("already running")
        assert (var / "maildrop.zdsock").is_socket()
        assert site.ctl("stop").out.startswith("stopped")
        assert site.ctl("stop").out == "not running\n"


def test_a_path_with_blanks_and_dollars_is_no_obstacle(site):
    home = site.home / "my $mail #1"
    home.mkdir()
    site.path = site.path.rename(home / "maildrop.conf")
    site.configure(MAILDROP_HOME=home)
    assert site.ctl("start").status == 0
    assert site.ctl("stop").out.startswith("stopped")


def test_no_secret_is_in_the_process_list(site):
    site.configure(MAILDROP_LOGIN="me", MAILDROP_PASSWORD="hush-hush")
    assert site.ctl("start").status == 0
    for pid in (pid_of(site.ctl("status").out), manager_of(site)):
        assert b"hush-hush" not in Path(f"/proc/{pid}/cmdline").read_bytes()
    written = [each for each in (site.home / "var").iterdir() if each.is_file()]
    assert "maildrop.zdaemon.conf" in {each.name for each in written}
    assert not any(b"hush-hush" in each.read_bytes() for each in written)


def test_it_works_from_a_script_that_sets_its_own_path(site, tmp_path):
    """As in a buildout: nothing but the script knows where the eggs are."""
    script = tmp_path / "bound"
    paths = [path for path in sys.path if path]
    script.write_text(
        f"import sys\nsys.path[0:0] = {[str(SRC), *paths]!r}\n"
        "from collective.maildrophost.engine.cli import main\n"
        f"sys.exit(main(config={str(site.path)!r}, prog_name='bin/maildrop'))\n"
    )
    # Not the interpreter of a virtualenv, which would find the eggs by itself.
    bare = [os.path.realpath(sys.executable), "-S", "-E", str(script)]
    environ = {"PATH": "/usr/bin:/bin"}
    ended = subprocess.run(
        [*bare, "start"],
        capture_output=True,
        text=True,
        env=environ,
        cwd="/",
        timeout=SECONDS,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    status = subprocess.run(
        [*bare, "status"], capture_output=True, text=True, env=environ, check=False
    )
    assert pid_of(status.stdout) == pid_of(ended.stdout)
