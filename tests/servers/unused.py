"""A port where nobody answers until a test starts a server there."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def unused() -> Iterator[int]:
    """One of 127.0.0.1 that nobody else gets as long as the block lasts."""
    with socket.socket() as keeper:
        # Bound but not listening: it refuses connections, and whoever sets
        # SO_REUSEADDR as well may listen there.
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        keeper.bind(("127.0.0.1", 0))
        yield keeper.getsockname()[1]
