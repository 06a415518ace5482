"""The engine works without Zope, starts fast, stays small."""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
import sys
import time
import venv
from pathlib import Path

import pytest
from commands import SECONDS, environment
from engine.processes import memory
from waiting import wait_until

from collective.maildrophost.engine.message import Lane, Message
from collective.maildrophost.engine.queue import all_daemons, enqueue, open_queue

# All in one process of pytest-xdist: each would make the environment anew.
pytestmark = pytest.mark.xdist_group("alone")

PROJECT = Path(__file__).parents[2]
NAME = "collective.maildrophost"
QUEUED = 100_000
MOST_MEGABYTES = 60
MAIL = "Subject: hello\n\nhello\n"
LIBRARIES = "import asyncio, sqlalchemy.dialects.sqlite"
"""What every start needs: two thirds of the half second that is promised."""

IMPORT_ALL = """
import importlib, pkgutil, sys
import collective.maildrophost.engine as engine
EXTRA = ".queue.postgresql."
for found in pkgutil.walk_packages(engine.__path__, engine.__name__ + "."):
    if not found.name.endswith("__main__"):
        try:
            importlib.import_module(found.name)
        except ModuleNotFoundError as error:
            assert found.name.removeprefix(engine.__name__).startswith(EXTRA)
            assert error.name == "psycopg"
        print(found.name)
zope = {"zope", "Zope2", "ZODB", "Products", "Acquisition", "plone", "transaction"}
assert not zope & set(sys.modules), zope & set(sys.modules)
"""


def output(*command: object, heard: str = "", **variables: str) -> str:
    ended = subprocess.run(
        [str(each) for each in command],
        input=heard,
        capture_output=True,
        text=True,
        env=environment("PYTHONPATH", "VIRTUAL_ENV") | variables,
        cwd="/",
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def bare(tmp_path_factory) -> Path:
    """The bin directory of a virtualenv that has the project without its extras."""
    home = tmp_path_factory.mktemp("bare")
    venv.create(home, with_pip=True)
    # Built from a copy: a build writes beside the source, where others work.
    copy = home / "project"
    copy.mkdir()
    for name in ("setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(PROJECT / name, copy)
    unwanted = shutil.ignore_patterns("*.egg-info", "__pycache__")
    shutil.copytree(PROJECT / "src", copy / "src", ignore=unwanted)
    constraints = ("-c", PROJECT / "constraints.txt")
    output(home / "bin" / "pip", "install", "--quiet", *constraints, copy)
    return home / "bin"


def test_every_module_of_the_engine_imports_where_there_is_no_zope(bare):
    names = output(bare / "python", "-c", IMPORT_ALL).split()
    there = [
        path
        for path in (PROJECT / "src/collective/maildrophost/engine").rglob("*.py")
        if path.name != "__main__.py"
    ]
    assert len(names) == len(there) - 1  # the engine's own __init__


def pinned_for_the_oldest_python(bare):
    """Python 3.10 gets another version than the Python that runs the tests may have."""
    constraints = (PROJECT / "constraints.txt").read_text().splitlines()
    (pin,) = (
        line.partition(" ;")[0]
        for line in constraints
        if line.startswith("SQLAlchemy==") and '== "3.10"' in line
    )
    return pin


def oldest_that_may_be_installed(bare):
    if sys.version_info >= (3, 13):
        pytest.skip("no release that is so old knows this Python")
    requires = "from importlib.metadata import requires; "
    asked = output(bare / "python", "-c", requires + f"print(*requires('{NAME}'))")
    return "SQLAlchemy==" + re.search(r"SQLAlchemy\S*>=([\d.]+)", asked)[1]


@pytest.mark.parametrize(
    "which", [pinned_for_the_oldest_python, oldest_that_may_be_installed]
)
def test_the_queue_works_with_an_older_sqlalchemy(bare, tmp_path, which):
    pin = which(bare)
    older = tmp_path / "older"
    output(bare / "pip", "install", "--quiet", "--no-deps", "--target", older, pin)
    path = tmp_path / "maildrop.conf"
    path.write_text(f"MAILDROP_HOME='{tmp_path}'\n")
    command = (bare / "maildropctl", "--config", path)
    use = {"PYTHONPATH": str(older)}
    version = "import sqlalchemy; print(sqlalchemy.__version__)"
    assert output(bare / "python", "-c", version, **use).strip() == pin[12:]
    output(bare / "python", "-c", IMPORT_ALL, **use)
    output(*command, "send", "-f", "a@x.org", "b@x.org", heard=MAIL, **use)
    assert "hello" in output(*command, "queue", **use)
    elsewhere = {**use, "MAILDROP_QUEUE": f"sqlite:///{tmp_path}/new/queue.db"}
    output(*command, "import", f"sqlite:///{tmp_path}/queue.db", **elsewhere)
    assert "hello" in output(*command, "queue", **elsewhere)


def test_type_checkers_are_told_that_there_are_types(bare):
    marker = f"from importlib.resources import files; print(files('{NAME}'))"
    (installed,) = output(bare / "python", "-c", marker).split()
    assert (Path(installed) / "py.typed").is_file()


def test_the_install_without_extras_brings_nothing_of_zope(bare):
    listed = output(bare / "pip", "list", "--format=freeze").lower().splitlines()
    names = {line.partition("==")[0] for line in listed}
    of_zope = ("zope", "zodb", "products.", "plone", "acquisition", "transaction")
    # zdaemon reads its configuration with ZConfig, which needs neither.
    assert not {name for name in names if name.startswith(of_zope)}


def test_the_command_works_without_extras(bare):
    assert "Usage: maildropctl" in output(bare / "maildropctl", "--help")


def test_the_install_without_extras_says_what_a_queue_on_postgresql_needs(
    bare, tmp_path
):
    path = tmp_path / "maildrop.conf"
    path.write_text(
        f"MAILDROP_HOME='{tmp_path}'\n"
        "MAILDROP_QUEUE='postgresql+psycopg://maildrop@/maildrop'\n"
    )
    ended = subprocess.run(
        [bare / "maildropctl", "--config", path, "stats"],
        capture_output=True,
        text=True,
        env=environment("PYTHONPATH", "VIRTUAL_ENV"),
        check=False,
    )
    assert ended.returncode == 1
    assert "install collective.maildrophost[postgresql]" in ended.stderr


def test_the_install_without_extras_says_what_a_login_with_tokens_needs(bare, tmp_path):
    (tmp_path / "secret").write_text("s3cret")
    path = tmp_path / "maildrop.conf"
    path.write_text(
        f"MAILDROP_HOME='{tmp_path}'\n"
        "MAILDROP_AUTH=xoauth2\n"
        "MAILDROP_LOGIN=site@example.org\n"
        "MAILDROP_OAUTH_TOKEN_URL='https://tokens.invalid/'\n"
        "MAILDROP_OAUTH_CLIENT_ID=client-1\n"
        f"MAILDROP_OAUTH_CLIENT_SECRET_FILE='{tmp_path}/secret'\n"
    )
    ended = subprocess.run(
        [bare / "maildropctl", "--config", path, "run"],
        capture_output=True,
        text=True,
        env=environment("PYTHONPATH", "VIRTUAL_ENV"),
        timeout=SECONDS,
        check=False,
    )
    assert ended.returncode == 2
    assert "install collective.maildrophost[oauth]" in ended.stderr


def started(pid: int) -> float:
    """When the process was started, in seconds since the epoch (proc(5))."""
    ticks = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    uptime = float(Path("/proc/uptime").read_text().split()[0])
    return time.time() - uptime + ticks / os.sysconf("SC_CLK_TCK")


def processor_seconds(pid: int) -> float:
    """What the process has used so far, with the children that it has waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def seconds_of_libraries() -> float:
    """The processor time of a process that loads `LIBRARIES` and does nothing."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", LIBRARIES], env=environment(), check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def fill(url: str) -> None:
    message = Message(
        sender="a@x.org",
        recipients=("b@x.org",),
        content=b"Subject: hello\r\n\r\n" + b"body\r\n" * 30,
        lane=Lane.NORMAL,
        due=None,
        subject="hello",
        message_id="<1@x.org>",
    )
    queue = open_queue(url)
    with queue.write() as tx:
        for _ in range(QUEUED // 10_000):
            enqueue(tx, [message] * 10_000, time.time())
    queue.close()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
def test_the_daemon_starts_fast_and_stays_small_with_a_long_queue(tmp_path, capsys):
    url = f"sqlite:///{tmp_path}/queue.db"
    fill(url)
    configuration = tmp_path / "maildrop.conf"
    # Port 1 refuses: the daemon tries, and keeps all of it.
    configuration.write_text(
        f"MAILDROP_HOME='{tmp_path}'\nSMTP_HOST='127.0.0.1'\nSMTP_PORT=1\n"
    )
    program = (sys.executable, "-m", "collective.maildrophost.engine.cli")
    daemon = subprocess.Popen(
        [*program, "--config", str(configuration), "run"], env=environment()
    )
    queue = open_queue(url)
    try:

        def heartbeat():
            assert daemon.poll() is None
            with queue.read() as tx:
                return all_daemons(tx)

        (row,) = wait_until(heartbeat, what="the heartbeat")
        used = processor_seconds(daemon.pid)
        log = tmp_path / "var" / "maildrop.log"
        wait_until(lambda: "mail waits" in log.read_text(), what="the first try")
        seconds = row.started - started(daemon.pid)
        megabytes = memory(daemon.pid, "VmRSS") / 2**20
    finally:
        daemon.kill()
        daemon.wait()
        queue.close()
    with capsys.disabled():
        print(f"\nheartbeat after {seconds:.2f} s, {megabytes:.0f} MB", end=" ")
    # Processor time, compared: the machine may be slow, and busy with other tests.
    assert used < 3 * seconds_of_libraries()
    assert megabytes < MOST_MEGABYTES
