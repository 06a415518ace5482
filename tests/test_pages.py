"""What the pages say of the source is so: its rooms, the files that they name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import collective.maildrophost

SOURCE = Path(collective.maildrophost.__file__).parent
PROJECT = Path(__file__).parents[1]
PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]
UNTOLD = {"__init__.py", "__pycache__", "py.typed"}


def rooms(folder, prefix=""):
    """The modules and packages in a folder, as the page names them."""
    for each in folder.iterdir():
        is_package = each.is_dir()
        if each.name not in UNTOLD and (is_package or each.suffix == ".py"):
            yield f"{prefix}{each.name}"


@pytest.mark.parametrize("room", sorted([*rooms(SOURCE), *rooms(SOURCE / "engine")]))
def test_every_room_is_on_the_page(room):
    told = (PROJECT / "docs" / "architecture.md").read_text()
    assert f"{room}`" in told or f"{room}/" in told


NAMED = re.compile(r"`((?:tests|engine|src|benchmarks|demo|tools)/[\w./-]+)`")
ELSEWHERE = {"src/collective.maildrophost"}  # a checkout in somebody's buildout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_names_is_there(page):
    named = set(NAMED.findall(page.read_text())) - ELSEWHERE
    missing = [
        each
        for each in sorted(named)
        if not ((PROJECT / each).exists() or (SOURCE / each).exists())
    ]
    assert missing == []


LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)#?([^)\s]*)\)")
SECTION = re.compile(r'\]\(([^)#\s]+\.md)\)\s?,?\s"([^"]+)"')


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_somewhere(page):
    for path, anchor in LINK.findall(page.read_text()):
        there = (page.parent / path) if path else page
        assert there.exists(), path
        assert not anchor or anchor in map(anchor_of, headings(there)), anchor


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_section_that_a_page_names_is_there(page):
    for path, name in SECTION.findall(" ".join(page.read_text().split())):
        assert name.strip(",") in headings(page.parent / path), f"{path}: {name}"


def headings(page):
    return re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)


def anchor_of(heading):
    """As GitHub makes it."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
