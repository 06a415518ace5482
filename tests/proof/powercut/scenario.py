"""The programs of one trace: a daemon that is killed once, and who writes meanwhile.

Arguments: changes (JSON), configuration, the queue's URL, drop directory, seconds.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
WRITERS = 2
START_SECONDS = 30.0
PAUSE = "0.03"


def program(name: str, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(HERE / f"{name}.py"), *arguments]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


def main(
    changes: str, configuration: str, url: str, spool: Path, seconds: float
) -> None:
    daemon = ("changes", changes, "--config", configuration, "run")
    running = program(*daemon)
    deadline = time.monotonic() + START_SECONDS
    while not spool.is_dir() and time.monotonic() < deadline:
        time.sleep(0.02)
    writers = [
        program("writer", changes, url, str(spool), f"w{number}", str(seconds), PAUSE)
        for number in range(WRITERS)
    ]
    time.sleep(seconds / 2)
    running.kill()
    running.wait()
    running = program(*daemon)
    failed = [writer.wait() for writer in writers]
    ended = running.poll()
    running.kill()
    running.wait()
    assert not any(failed), failed
    assert ended is None, ended


if __name__ == "__main__":
    main(*sys.argv[1:4], Path(sys.argv[4]), float(sys.argv[5]))
