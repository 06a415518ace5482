"""The supervised mail daemon of the demo, with a home of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path

from .failure import DemoFailed
from .programs import MAILDROPCTL, environment

COMMAND_SECONDS = 60.0

CONFIGURATION = """\
MAILDROP_HOME="{home}"
SMTP_HOST="127.0.0.1"
SMTP_PORT={port}
MAILDROP_STOP_TIMEOUT=5
"""


class Daemon:
    """``with Daemon(home, port) as daemon:`` stops at the end what `start` began."""

    def __init__(self, home: Path, port: int) -> None:
        self.home = home
        self.configuration = home / "maildrop.conf"
        self._port = port

    def __enter__(self) -> Daemon:
        self.home.mkdir(mode=0o700)
        text = CONFIGURATION.format(home=self.home, port=self._port)
        self.configuration.write_text(text, encoding="utf-8")
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._maildropctl("stop")

    def start(self) -> str:
        """What `maildropctl start` says; raises DemoFailed when it fails."""
        return self._maildropctl("start")

    def _maildropctl(self, command: str) -> str:
        # Popen's own end waits for the program: a start that a signal interrupts is
        # over, zdaemon reachable, before the stop. Ctrl-C does not reach its session.
        with subprocess.Popen(
            [MAILDROPCTL, "--config", self.configuration, command],
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as program:
            try:
                said, complaint = program.communicate(timeout=COMMAND_SECONDS)
            except subprocess.TimeoutExpired:
                program.kill()
                raise DemoFailed(
                    f"maildropctl {command} took more than "
                    f"{COMMAND_SECONDS:.0f} seconds"
                ) from None
        if program.returncode != 0:
            reason = complaint.strip() or said.strip()
            raise DemoFailed(f"maildropctl {command}: {reason}")
        return said.strip()
