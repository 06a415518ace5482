"""A PostgreSQL server that follows another one, and can take over from it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess

from servers.postgresql import PostgreSQL

NAME = "standby"
"""What a primary calls it in its synchronous_standby_names."""


class Standby(PostgreSQL):
    """``with Standby(primary) as standby:`` a copy, kept up to date while both run."""

    def __init__(self, primary: PostgreSQL) -> None:
        super().__init__()
        self._primary = primary

    def promote(self) -> None:
        """Have it take over; it can be written when this returns."""
        self.execute("SELECT pg_promote()")

    def fall_behind(self) -> None:
        """What the primary commits from now on does not get here."""
        (found,) = self._primary.execute(
            f"SELECT pid FROM pg_stat_replication WHERE application_name = '{NAME}'"
        )
        os.kill(found[0], signal.SIGSTOP)

    def _make(self) -> None:
        copied = subprocess.run(
            [
                self._programs / "pg_basebackup",
                f"--pgdata={self.data}",
                f"--dbname=host={self._primary.host} user=postgres",
                "--checkpoint=fast",
                "--no-sync",
            ],
            capture_output=True,
            check=False,
            **self._as,
        )
        assert copied.returncode == 0, copied.stderr
        self._follow()

    def _make_owner(self) -> None:
        """It has everything of the primary."""

    def _follow(self) -> None:
        conninfo = f"host={self._primary.host} user=postgres application_name={NAME}"
        with (self.data / "postgresql.auto.conf").open("a") as settings:
            settings.write(f"primary_conninfo = '{conninfo}'\n")
        signal_file = self.data / "standby.signal"
        signal_file.touch()
        if self._as:
            shutil.chown(signal_file, self._as["user"])
