"""What holds for every test."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.internal.scrutineer import SITE_PACKAGES_DIRS
from servers.postgresql import PostgreSQL
from servers.proxy import Proxy
from sqlalchemy.engine import make_url

from collective.maildrophost.engine.queue import open_queue

# Their assertions, too, show both sides; pytest does that by itself for tests alone.
pytest.register_assert_rewrite("canaries", "containers", "engine", "peers", "proof")

# A test run in the background of a script is started with Ctrl-C ignored, and whatever
# it starts inherits that; the programs under test are to be interrupted.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

LONGEST_IN_A_NAME = 200
"""Characters of a value."""

# Hypothesis takes constants for its examples from the code under test. It would take
# all eggs for that, and read two thousand modules of Plone in each process.
SITE_PACKAGES_DIRS.update(
    Path(each).resolve().parent for each in sys.path if each.endswith(".egg")
)

# Examples on a busy machine may take longer than the default deadline allows.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
# For `make fuzz`: some minutes for what `make test` does in some seconds.
settings.register_profile("fuzz", max_examples=10_000, deadline=None, print_blob=True)


def pytest_addoption(parser: pytest.Parser) -> None:
    """How long those tests go on that find more with time."""
    parser.addoption(
        "--endurance",
        type=float,
        default=30.0,
        help="seconds for which tests/engine/shared/test_endurance.py breaks things",
    )
    parser.addoption(
        "--proof-seconds",
        type=float,
        default=60.0,
        help="seconds for which tests/proof/powercut looks for mail that a cut loses",
    )
    parser.addoption(
        "--soak-minutes",
        type=float,
        default=2.0,
        help="minutes for which tests/proof/soak lets everything happen at once",
    )


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a test by its short values only: some are messages of a megabyte."""
    is_long = isinstance(val, (str, bytes)) and len(val) > LONGEST_IN_A_NAME
    return argname if is_long else None


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A server for all tests of this process; a test that breaks it starts its own."""
    with PostgreSQL() as server:
        yield server


@pytest.fixture(scope="session")
def queue_template(postgresql: PostgreSQL) -> str:
    """A database with an empty queue, to be copied: much faster than making one."""
    template = postgresql.create()
    open_queue(postgresql.url(template)).close()
    return template


@pytest.fixture
def postgresql_url(postgresql: PostgreSQL, queue_template: str) -> Iterator[str]:
    """A queue on PostgreSQL of this test alone."""
    name = postgresql.create(queue_template)
    yield postgresql.url(name)
    postgresql.drop(name)


@pytest.fixture
def list_configurations(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Has zope.conf list these configurations, each path under its key."""
    from App.config import getConfiguration

    def list_them(**paths: object) -> None:
        keys = {f"config-path-{key}": str(path) for key, path in paths.items()}
        listed = {"maildrophost": keys}
        monkeypatch.setattr(getConfiguration(), "product_config", listed, raising=False)

    return list_them


@pytest.fixture
def proxy(postgresql: PostgreSQL) -> Iterator[Proxy]:
    """A wire to the server that can be cut."""
    with Proxy(postgresql.socket) as proxy:
        yield proxy


@pytest.fixture
def proxied_url(proxy: Proxy, postgresql_url: str) -> str:
    """The same queue as `postgresql_url`, over that wire."""
    database = make_url(postgresql_url).database
    return f"postgresql+psycopg://maildrop@127.0.0.1:{proxy.port}/{database}"
