"""No half-dead daemon: when one of its parts breaks, all of it ends as a failure."""

from __future__ import annotations

import sys

import pytest
from waiting import PATIENCE_SECONDS

BREAKS = """
import importlib, sys
from collective.maildrophost.engine.cli import main

async def breaks(*_):
    raise RuntimeError("broken")

module, _, path = sys.argv.pop(1).partition(":")
part = importlib.import_module(f"collective.maildrophost.engine.{module}")
*outer, name = path.split(".")
for each in outer:
    part = getattr(part, each)
setattr(part, name, breaks)
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    "part",
    [
        "delivery:Delivery.run",
        "delivery:Delivery.follow",
        "daemon.scanner:Scanner.run",
        "daemon.housekeeping:Housekeeping.run",
        "daemon.housekeeping:Housekeeping.keep_wal_small",
        "daemon.clockwatch:ClockWatch.run",
        "daemon.fastclocks:FastClocks.run",
        "daemon.doorkeeper:Doorkeeper.run",
        "daemon.service:listen",
        "daemon.systemd:Systemd.watch",
    ],
)
def test_the_supervisor_sees_that_a_daemon_with_a_broken_part_has_failed(site, part):
    site.program = (sys.executable, "-c", BREAKS, part)
    process = site.start()
    try:
        _, said = process.communicate(timeout=PATIENCE_SECONDS)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 1
    assert b"broken" in said
    assert site.daemons == [], "what it had claimed is free"
