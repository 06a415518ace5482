"""An empty folder for a buildout that has a part of this recipe."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from textwrap import dedent

import pytest
from waiting import PATIENCE_SECONDS

PROJECT = Path(__file__).parents[2]
BUILDOUT = Path(sys.executable).with_name("buildout")

# The eggs of the project are at hand already: a run takes no download and no second.
HEAD = """\
[buildout]
extends = {project}/versions.cfg
parts = {parts}
eggs-directory = {eggs}
develop-eggs-directory = {project}/develop-eggs
allow-picked-versions = false
newest = false

"""
RUN_SECONDS = 3 * PATIENCE_SECONDS
"""A buildout on a busy machine takes its time."""


class Room:
    """A folder with a buildout in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, sections: str, parts: str = "maildrop") -> None:
        head = HEAD.format(project=PROJECT, parts=parts, eggs=eggs_directory())
        (self / "buildout.cfg").write_text(head + dedent(sections))

    def build(self, *options: str) -> subprocess.CompletedProcess[str]:
        """Run buildout as a person does, without what the test runner has in its own
        environment."""
        return self.run(str(BUILDOUT), "-U", *options)

    def built(self, sections: str, parts: str = "maildrop") -> str:
        """What a run that must succeed said."""
        self.write(sections, parts)
        run = self.build()
        assert run.returncode == 0, run.stdout + run.stderr
        return run.stdout + run.stderr

    def refused(self, sections: str, parts: str = "maildrop") -> str:
        """The last line of a run that must end with a user's error."""
        self.write(sections, parts)
        run = self.build()
        assert run.returncode != 0
        assert "internal error" not in run.stderr
        last = run.stderr.strip().splitlines()[-1]
        assert last.startswith("Error: ")
        return last.removeprefix("Error: ")

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.folder,
            env=clean_environment(),
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
        )

    def script(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run(str(self / "bin" / name), *arguments)

    def programs(self) -> set[str]:
        return {path.name for path in (self / "bin").iterdir()}

    def text(self, path: str) -> str:
        return (self / path).read_text()

    def mode(self, path: str) -> int:
        return stat.S_IMODE((self / path).stat().st_mode)

    def __truediv__(self, path: str) -> Path:
        return self.folder / path


def eggs_directory() -> Path:
    """Where the project's eggs are; buildout adds the last folder by itself."""
    recipe = find_spec("zc.recipe.egg")
    assert recipe is not None
    assert recipe.origin is not None
    return Path(recipe.origin).parents[5]


def clean_environment() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MAILDROP_", "PYTHON", "SMTP_"))
    }


@pytest.fixture
def room(tmp_path: Path) -> Room:
    assert BUILDOUT.exists(), "no zc.buildout beside the interpreter: run `make test`"
    # Otherwise buildout would look for them in the package index.
    links = {each.stem for each in (PROJECT / "develop-eggs").glob("*.egg-link")}
    assert "collective.recipe.maildrophost" in links, "run `make install`"
    return Room(tmp_path)
