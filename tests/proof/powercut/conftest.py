"""A relay that takes, refuses or defers a mail by its recipient; how long to try."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from servers.scripted import Scripted

LATER = ["451 4.2.0 later", "250 2.1.5 ok"] * 100_000


@pytest.fixture
def relay() -> Iterator[Scripted]:
    answers = {"RCPT:no@x.org": "550 5.1.1 no", "RCPT:later@x.org": LATER}
    with Scripted(answers) as relay:
        yield relay


@pytest.fixture
def ends(request: pytest.FixtureRequest) -> float:
    """When a test has tried for long enough, by time.monotonic()."""
    return time.monotonic() + request.config.getoption("--proof-seconds")
