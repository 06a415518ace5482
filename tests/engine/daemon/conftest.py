"""What daemons find around them."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator

import pytest
from servers.systemd import Manager

from collective.maildrophost.engine.daemon import heartbeat as module
from collective.maildrophost.engine.daemon.heartbeat import Heartbeat


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


# The daemon on a machine that is slow to take each dropped file.
SLOW = """
import sys, time
from collective.maildrophost.engine.cli import main
from collective.maildrophost.engine.intake.scan import Intake

def slowly(*arguments, take=Intake._take):
    time.sleep(0.05)
    return take(*arguments)

Intake._take = slowly
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def full_spool(site):
    """More files than are taken while a test runs; their number."""
    site.program = (sys.executable, "-c", SLOW)
    spool, count = site.home / "spool", 1500
    spool.mkdir()
    mail = b"##To:b@x.org\n##From:a@x.org\nSubject: hello\n\nbody\n"
    for number in range(count):
        (spool / f"mail-{number:04}").write_bytes(mail)
    return count


@pytest.fixture
def heartbeat(queue, monkeypatch):
    """A heartbeat that has begun, and beats all the time once it runs."""
    monkeypatch.setattr(module, "RENEW_SECONDS", 0.01)
    heartbeat = Heartbeat(queue, "relay:25", "/nowhere")
    heartbeat.start()
    return heartbeat
