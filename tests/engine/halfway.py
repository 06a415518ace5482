"""Another process that stands still amid its work, until its input ends."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

STANDS_STILL = """
def stand_still():
    import sys
    print("half-way", flush=True)
    sys.stdin.read()
"""


@contextmanager
def half_way(program: str, *arguments: object) -> Iterator[subprocess.Popen[bytes]]:
    """Run `program` until it calls `stand_still()`."""
    process = subprocess.Popen(
        [sys.executable, "-c", STANDS_STILL + program, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process:
        assert process.stdout.readline() == b"half-way\n"
        yield process
        process.kill()
