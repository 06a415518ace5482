"""Writes what systemd, supervisor and logrotate need to look after a daemon."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from . import templates
from .daemons import Daemon

STOP_TIMEOUT = "30"
"""The daemon's own default for MAILDROP_STOP_TIMEOUT."""
MARGIN_SECONDS = 10
"""After the stop timeout, until a daemon that hangs is killed."""

# When the watchdog ends a daemon, the journal gets its traceback.
_TELLS_WHERE_IT_HUNG = "Environment=PYTHONFAULTHANDLER=1"
# Files that the daemon only reads: systemd can hand it copies, even of what it may not
# read itself. The file of a refresh token is also written, and therefore not copied.
_CREDENTIALS = {
    "password-file": "MAILDROP_PASSWORD_FILE",
    "oauth-client-secret-file": "MAILDROP_OAUTH_CLIENT_SECRET_FILE",
}


@dataclass(frozen=True)
class Service:
    """One daemon as the system knows it: by a name, with a command that runs it."""

    daemon: Daemon
    name: str
    command: tuple[str, ...]
    directory: Path
    """Where its files go."""

    @property
    def unit_file(self) -> Path:
        """The unit for systemd."""
        return self.directory / f"{self.name}.service"

    @property
    def logrotate_file(self) -> Path:
        """The snippet for logrotate."""
        return self.directory / f"{self.name}.logrotate"

    @property
    def supervisor_file(self) -> Path:
        """The program section for supervisor."""
        return self.directory / f"{self.name}.supervisor"

    @property
    def files(self) -> tuple[Path, ...]:
        """All that is written for it."""
        return (self.unit_file, self.logrotate_file, self.supervisor_file)

    @property
    def stop_timeout(self) -> str:
        """How many seconds mails in flight have when it stops."""
        return self.daemon.values.get("stop-timeout") or STOP_TIMEOUT


def services(
    part: str, daemons: tuple[Daemon, ...], program: Path, directory: Path
) -> tuple[Service, ...]:
    """The services of a part whose `program` is in bin/."""
    return tuple(
        Service(
            daemon,
            name=part if daemon.name == part else f"{part}-{daemon.name}",
            command=(str(program), *_chosen(daemon, daemons), "run"),
            directory=directory,
        )
        for daemon in daemons
    )


def _chosen(daemon: Daemon, daemons: tuple[Daemon, ...]) -> tuple[str, ...]:
    """What tells the program which daemon is meant, where there are several."""
    return (daemon.name,) if len(daemons) > 1 else ()


def write(service: Service) -> None:
    """Write its files."""
    _write_unit(service)
    _write_logrotate(service)
    _write_supervisor(service)


def _write_unit(service: Service) -> None:
    daemon = service.daemon
    program, *arguments = service.command
    values = {
        **_common(service),
        "configuration": _percent(str(daemon.configuration)),
        "home": _percent(str(daemon.home)),
        "command": " ".join([_word(program), *arguments]),
        "environment": "\n".join([_TELLS_WHERE_IT_HUNG, *_credentials(service)]),
        "places": " ".join(_word(str(path)) for path in daemon.written_directories),
        "written": " ".join(_word(f"-{path}") for path in daemon.written_directories),
    }
    templates.fill("daemon.service.in", values, service.unit_file)


def _credentials(service: Service) -> Iterator[str]:
    for option, variable in _CREDENTIALS.items():
        path = service.daemon.values.get(option)
        if path:
            yield (
                f"# A copy that is made at the start: once {option} has changed, use "
                f"systemctl restart {service.name}, since a reload reads the copy."
            )
            yield f"LoadCredential={option}:{_percent(path)}"
            yield f"Environment={variable}=%d/{option}"


def _write_logrotate(service: Service) -> None:
    values = {**_common(service), "log": f'"{service.daemon.log_file}"'}
    templates.fill("daemon.logrotate.in", values, service.logrotate_file)


def _write_supervisor(service: Service) -> None:
    program, *arguments = service.command
    values = {
        **_common(service),
        "home": _percent(str(service.daemon.home)),
        "command": " ".join([_percent(f'"{program}"'), *arguments]),
    }
    templates.fill("daemon.supervisor.in", values, service.supervisor_file)


def _common(service: Service) -> dict[str, str]:
    seconds = math.ceil(float(service.stop_timeout)) + MARGIN_SECONDS
    return {
        "name": service.name,
        "user": service.daemon.owner.name,
        "group": service.daemon.owner.group,
        "stop_timeout": service.stop_timeout,
        "stop_seconds": str(seconds),
    }


def _word(text: str) -> str:
    """One word of a systemd unit, whatever is in it (systemd.syntax(7))."""
    escaped = text.replace("\\", r"\\").replace('"', r"\"")
    return f'"{_percent(escaped)}"'


def _percent(text: str) -> str:
    """Doubled for systemd and supervisor, which replace %x."""
    return text.replace("%", "%%")
