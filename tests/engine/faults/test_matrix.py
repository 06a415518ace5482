"""Every row of the fault matrix has its tests."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[2]
PAGE = TESTS.parent / "docs" / "faults.md"
MARK = re.compile(r"^@row\(([\d, ]+)\)$", re.MULTILINE)


def rows() -> dict[int, set[str]]:
    """The files that have tests of each row, by their marks."""
    found: dict[int, set[str]] = {}
    for path in sorted(TESTS.glob("engine/**/test_*.py")):
        for numbers in MARK.findall(path.read_text(encoding="utf-8")):
            for number in numbers.split(","):
                found.setdefault(int(number), set()).add(path.name)
    return found


def test_every_row_is_proven():
    assert sorted(rows()) == list(range(1, 33))


def test_the_page_has_every_row():
    numbers = re.findall(r"^\| (\d+) \|", PAGE.read_text(encoding="utf-8"), re.M)
    assert [int(number) for number in numbers] == list(range(1, 33))
