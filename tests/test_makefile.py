"""`make install` builds what is missing, no less and no more."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from waiting import PATIENCE_SECONDS

PROJECT = Path(__file__).parents[1]
INPUT = (
    "buildout.cfg",
    "versions.cfg",
    "setup.py",
    "pyproject.toml",
    "constraints.txt",
)

# Makes environments whose buildout writes .installed.cfg as the real one does: after
# its first part, before one that can fail.
PYTHON = """\
#!/bin/sh
test "$1" = -c && echo {version} && exit
for environment; do :; done
rm -rf $environment && mkdir -p $environment/bin && cd $environment
echo 'version = {version}' > pyvenv.cfg
ln -s /bin/true bin/pip
cat > bin/buildout <<'END'
#!/bin/sh
echo {version} >> built
touch .installed.cfg
test ! -e broken
END
chmod +x bin/buildout
"""


class Checkout:
    """The project as `make` sees it, with interpreters that build nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "recipes/one/src").mkdir(parents=True)
        for name in INPUT:
            (folder / name).touch()
        (folder / "Makefile").symlink_to(PROJECT / "Makefile")
        for name, version in {"python3": "3.11.7", "another": "3.13.0"}.items():
            (folder / name).write_text(PYTHON.format(version=version))
            (folder / name).chmod(0o755)

    def make(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run it as from a shell, with nothing from a make that runs the tests."""
        path = f"{self.folder}:{os.environ['PATH']}"
        return subprocess.run(
            ["make", *arguments],
            cwd=self.folder,
            env={"PATH": path},
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
        )

    def install(self, *arguments: str) -> int:
        return self.make("install", *arguments).returncode

    @property
    def builds(self) -> list[str]:
        """The interpreter of every build so far."""
        return (self.folder / "built").read_text().split()


@pytest.fixture
def checkout(tmp_path):
    return Checkout(tmp_path)


def test_what_is_built_is_not_built_again(checkout):
    for _again in range(2):
        assert checkout.install() == 0
    assert checkout.builds == ["3.11.7"]


def test_a_build_that_failed_is_done_again(checkout):
    broken = checkout.folder / "broken"
    broken.touch()
    for _again in range(2):
        assert checkout.install() != 0
    broken.unlink()
    assert checkout.install() == 0
    assert len(checkout.builds) == 3


@pytest.mark.parametrize("name", INPUT)
def test_it_is_built_again_when_what_it_is_made_of_has_changed(checkout, name):
    checkout.install()
    in_a_while = (checkout.folder / ".installed.cfg").stat().st_mtime + 10
    os.utime(checkout.folder / name, (in_a_while, in_a_while))
    checkout.install()
    assert len(checkout.builds) == 2


def test_another_interpreter_builds_anew_and_stays(checkout):
    for arguments in (
        [],
        ["PYTHON=another"],
        ["PYTHON=another"],
        [],
        ["PYTHON=python3"],
    ):
        assert checkout.install(*arguments) == 0
    assert checkout.builds == ["3.11.7", "3.13.0", "3.11.7"]


def test_a_missing_interpreter_leaves_what_is_there(checkout):
    checkout.install()
    assert checkout.install("PYTHON=no-such-python") != 0
    assert checkout.install() == 0
    assert len(checkout.builds) == 1


def test_an_environment_that_broke_off_is_made_again(checkout):
    without_venv = checkout.folder / "without-venv"
    without_venv.write_text(
        PYTHON.format(version="3.12.1").replace("ln -s", "exit 1 #")
    )
    without_venv.chmod(0o755)
    for _again in range(2):
        assert checkout.install("PYTHON=without-venv") != 0
    assert checkout.install() == 0
    assert checkout.builds == ["3.11.7"]


def test_an_environment_that_was_killed_while_it_was_made_is_made_again(checkout):
    killed = checkout.folder / "killed"
    kill_all = "kill -9 $(ps -o ppid= -p $PPID) $PPID; exit 1 #"
    killed.write_text(PYTHON.format(version="3.12.1").replace("ln -s", kill_all))
    killed.chmod(0o755)
    assert checkout.install("PYTHON=killed") != 0
    assert (checkout.folder / ".venv/pyvenv.cfg").exists()
    for _again in range(2):
        assert checkout.install() == 0
    assert checkout.builds == ["3.11.7"]


def test_a_plone_that_still_starts_is_stopped_and_nothing_else(checkout):
    interpreter = checkout.folder / "parts/instance/bin/interpreter"
    interpreter.parent.mkdir(parents=True)
    interpreter.write_text("print('it starts', flush=True)\ninput()\n")
    programs = [
        subprocess.Popen(
            [sys.executable, str(interpreter), argument],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for argument in ("/eggs/Zope2/Startup/serve.py", "report.py")
    ]
    for program in programs:
        program.stdout.readline()
    assert checkout.make("stop").returncode == 0
    said = [program.communicate("\n", timeout=PATIENCE_SECONDS) for program in programs]
    assert said == [("", None)] * 2
    assert [program.returncode for program in programs] == [-signal.SIGTERM, 0]


@pytest.mark.parametrize("status", [0, 1])
def test_what_runs_is_stopped_before_its_programs_go(checkout, status):
    stop = checkout.folder / "bin/maildrop-stop"
    stop.parent.mkdir()
    (checkout.folder / "src").mkdir()
    stop.write_text(f"#!/bin/sh\ntouch stopped\nexit {status}\n")
    stop.chmod(0o755)
    assert checkout.make("clean").returncode == 0
    assert (checkout.folder / "stopped").exists()
    assert not stop.exists()


def test_a_directory_that_buildout_cannot_work_in_is_refused_at_once(tmp_path):
    checkout = Checkout(tmp_path / "a checkout")
    built = checkout.make("install")
    assert built.returncode != 0
    assert f'"{checkout.folder}": buildout cannot work in a directory' in built.stderr
    assert not (checkout.folder / ".venv").exists()


def test_every_target_with_a_word_about_it_is_listed(checkout):
    told = {
        line.split(":")[0]
        for line in (PROJECT / "Makefile").read_text().splitlines()
        if ": " in line and " ## " in line
    }
    listing = checkout.make("help").stdout
    assert {line.split()[0] for line in listing.splitlines()} == told
