"""The pins of the project: one list for buildout, the same for pip."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement

PROJECT = Path(__file__).parents[2]
SCRIPT = PROJECT / "tools" / "constraints.py"

CFG = """\
[versions]
Zope = 6.3
attrs = 26.1.0
[versions:python310]
Zope = 6.2
"""


def constraints(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def test_constraints_have_the_pins_of_the_buildout():
    check = constraints("--check")
    assert check.returncode == 0, check.stderr


def test_a_pin_of_a_single_python_goes_to_that_python_alone(tmp_path):
    (tmp_path / "versions.cfg").write_text(CFG)
    paths = ["--versions", tmp_path / "versions.cfg", "--constraints", tmp_path / "c"]
    assert constraints(*paths).returncode == 0
    assert (tmp_path / "c").read_text().splitlines()[1:] == [
        "attrs==26.1.0",
        'Zope==6.3 ; python_version != "3.10"',
        'Zope==6.2 ; python_version == "3.10"',
    ]
    assert constraints(*paths, "--check").returncode == 0


def test_a_forgotten_pin_is_reported(tmp_path):
    (tmp_path / "versions.cfg").write_text(CFG)
    (tmp_path / "c").write_text("Zope==6.3\n")
    paths = ["--versions", tmp_path / "versions.cfg", "--constraints", tmp_path / "c"]
    check = constraints(*paths, "--check")
    assert check.returncode == 1
    assert "run `make constraints`" in check.stderr


def test_the_pins_are_sorted_one_for_each_name():
    sections = re.split(r"^\[.*\]$", (PROJECT / "versions.cfg").read_text(), flags=re.M)
    for section in sections[1:]:
        lines = [line for line in section.splitlines() if " = " in line]
        names = [line.partition(" = ")[0].lower() for line in lines]
        assert names == sorted(set(names))


def test_no_pin_names_a_place_or_a_hash():
    for name in ("versions.cfg", "constraints.txt", "buildout.cfg"):
        text = (PROJECT / name).read_text()
        assert not re.search(r"https?://|file:|sha256|/(tmp|home|root)/", text)


def test_the_recipe_takes_the_buildout_that_a_site_has_pinned():
    """A requirement that its pins do not meet makes buildout refuse the part."""
    found = map(Requirement, requires("collective.recipe.maildrophost"))
    specifiers = {each.name: each.specifier for each in found}
    assert "5.2.0" in specifiers["zc.buildout"]
    assert "4.0.0" in specifiers["zc.recipe.egg"]
