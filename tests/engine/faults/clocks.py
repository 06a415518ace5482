"""The time of day, set under the daemons of a site while they run."""

from __future__ import annotations

import time
from pathlib import Path

from waiting import wait_until

DAY = 86400
OFTEN = {
    "daemon__heartbeat__RENEW_SECONDS": 0.2,
    "daemon__clockwatch__LOOK_SECONDS": 0.2,
}


class Clock:
    """The time of day as the daemons of a site see it."""

    def __init__(self, site, path: Path) -> None:
        libraries = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
        assert libraries, "libfaketime is missing (apt-get install libfaketime)"
        self._site = site
        self._path = path
        site.environ = {
            "LD_PRELOAD": str(libraries[0]),
            "FAKETIME_TIMESTAMP_FILE": str(path),
            "FAKETIME_NO_CACHE": "1",
            # As on a real machine: only the time of day is set.
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }
        self.days = 0

    @property
    def days(self) -> float:
        """How far it is ahead of the test's own clock."""
        return self._days

    @days.setter
    def days(self, days: float) -> None:
        self._days = days
        # A reader must never find half a line.
        fresh = self._path.with_suffix(".new")
        fresh.write_text(f"{days * DAY:+.0f}\n")
        fresh.replace(self._path)

    def wait_until_seen(self, count: int = 1) -> None:
        """Every daemon has written a heartbeat with this time."""
        now = time.time() + self._days * DAY

        def beats() -> bool:
            seen = [each.seen for each in self._site.daemons]
            return len(seen) == count and all(abs(each - now) < 3600 for each in seen)

        wait_until(beats, what="heartbeats at the new time")
