"""Daemons that find systemd around them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

import pytest
from servers.systemd import Manager


@pytest.fixture
def manager() -> Iterator[Manager]:
    # Not tmp_path: pytest's names may be longer than a socket's may be.
    with tempfile.TemporaryDirectory() as folder:
        manager = Manager(f"{folder}/notify")
        yield manager
        manager.close()


@pytest.fixture
def told(site, manager):
    """A site whose daemon finds systemd around it."""
    site.environ = manager.environ()
    return site
