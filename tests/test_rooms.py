"""Every room of the source is named on the page for whoever reads the code."""

from __future__ import annotations

from pathlib import Path

import pytest

import collective.maildrophost

SOURCE = Path(collective.maildrophost.__file__).parent
PAGE = Path(__file__).parents[1] / "docs" / "architecture.md"
UNTOLD = {"__init__.py", "__pycache__", "py.typed"}


def rooms(folder, prefix=""):
    """The modules and packages in a folder, as the page names them."""
    for each in folder.iterdir():
        is_package = each.is_dir()
        if each.name not in UNTOLD and (is_package or each.suffix == ".py"):
            yield f"{prefix}{each.name}"


@pytest.mark.parametrize("room", sorted([*rooms(SOURCE), *rooms(SOURCE / "engine")]))
def test_every_room_is_on_the_page(room):
    told = PAGE.read_text()
    assert f"{room}`" in told or f"{room}/" in told
