"""Which daemon a command is about: whose it is, who looks after it, where it runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import MaildropError
from . import heartbeats
from .daemonprocess import configuration_of, ends_by_itself, was_launched
from .output import tell
from .processes import send_signal
from .zdaemon import Supervisor

if TYPE_CHECKING:
    from ..config import Configuration


class RunByOthers(MaildropError):
    """The daemon was not started with 'start': something else looks after it."""


class OutOfReach(MaildropError):
    """The daemon runs where no signal from here reaches it."""


class RunForAnother(MaildropError):
    """The daemon is that of another configuration."""


def running(configuration: Configuration) -> int | None:
    """The pid of this configuration's daemon on this machine, None if there is none."""
    state = Supervisor(configuration).state()
    if state is not None and state.pid:
        return state.pid
    return next(iter(_lasting_pids(configuration)), None)


def _lasting_pids(configuration: Configuration) -> list[int]:
    """This configuration's daemons on this machine, but for any 'run --once'."""
    pids = heartbeats.local_pids(configuration)
    return [pid for pid in pids if not ends_by_itself(pid)]


def launched(configuration: Configuration) -> list[int]:
    """Daemons of 'start', even if the zdaemon that looked after them was killed."""
    return [pid for pid in heartbeats.local_pids(configuration) if was_launched(pid)]


def unwatched(configuration: Configuration) -> list[int]:
    """Daemons of 'start' that no zdaemon would bring back; raises QueueError."""
    found = launched(configuration)
    state = Supervisor(configuration).state() if found else None
    return [pid for pid in found if state is None or pid != state.pid]


def check_it_is_ours(configuration: Configuration, pid: int) -> None:
    """Raises RunForAnother when it was started for another configuration."""
    # 'start' would say that ours runs already, and nobody would send to its relay.
    theirs = configuration_of(pid)
    # A file that is not there any more may be ours, moved since.
    if theirs is not None and _is_ours(theirs, configuration) is False:
        raise RunForAnother(
            f"pid {pid} is the daemon of {theirs}, which has the same MAILDROP_VAR "
            f"{configuration.var}: give each configuration one of its own; if this one "
            "has taken its place, run 'stop' first"
        )


def check_it_reads_ours(configuration: Configuration, pid: int) -> None:
    """Raises RunForAnother when a reload would read another file."""
    # It would read the file that it was launched with, if that is there at all.
    theirs = configuration_of(pid)
    if theirs is not None and not _is_ours(theirs, configuration):
        raise RunForAnother(
            f"pid {pid} was started with {theirs} and reads no other file: 'restart' "
            f"starts a daemon with {configuration.path}"
        )


def without_its_file(configuration: Configuration, pid: int) -> str:
    """What to do about a daemon whose configuration has gone; "" where it is there."""
    theirs = configuration_of(pid)
    try:
        if theirs is not None:
            theirs.stat()
    except (FileNotFoundError, NotADirectoryError):
        # It goes on with what it has read, and after a crash it could not come back.
        return (
            f"; its file {theirs} is not there any more: 'restart' starts a daemon "
            f"with {configuration.path}"
        )
    except OSError:
        pass  # out of our reach
    return ""


def without_its_zdaemon(configuration: Configuration, pid: int) -> str:
    """What to do about a daemon whose zdaemon was killed; "" where none was."""
    state = Supervisor(configuration).state()
    if (state is not None and state.pid == pid) or not was_launched(pid):
        return ""
    return "; its zdaemon is gone, which would bring it back: 'restart' starts both"


def _is_ours(theirs: Path, configuration: Configuration) -> bool | None:
    """Whether both are one file; None: it is not there, or out of our reach."""
    if theirs == configuration.path:
        return True
    try:
        return theirs.samefile(configuration.path)
    except OSError:
        return None


def check_nobody_else_runs_it(configuration: Configuration) -> None:
    """Raises RunByOthers when it was not started with 'start', or OfAnotherUser."""
    # Stopped, it would exit with 0, which systemd and supervisor take for the end of
    # its work; the one started here would run where they do not look after it.
    state = Supervisor(configuration).state()
    for pid in _lasting_pids(configuration):
        if state is not None and pid == state.pid:
            continue
        send_signal(pid, 0)  # Nobody else can see how it was started.
        if not was_launched(pid):
            raise RunByOthers(
                f"pid {pid} goes on: it was not started with 'start'. Restart it with "
                "what runs it ('systemctl restart' or 'supervisorctl restart' with its "
                "name), or 'stop' it and 'start' it here"
            )


def check_none_is_out_of_reach(configuration: Configuration) -> None:
    """Raises OutOfReach when one runs in another container, say."""
    for daemon in heartbeats.out_of_reach(configuration):
        raise OutOfReach(
            f"pid {daemon.pid} on {daemon.host} works on this queue, but out of reach: "
            "it runs in another container, or /proc does not show it here. Run this "
            "command where it runs"
        )


def name_others(configuration: Configuration) -> None:
    """Tell of daemons here that may be old ones of this configuration."""
    # Several configurations may share a queue, or MAILDROP_VAR was changed meanwhile.
    for pid in heartbeats.other_pids(configuration):
        tell(
            f"pid {pid} works on this queue with another MAILDROP_VAR: if that is an "
            f"old one of this configuration, 'kill {pid}' stops it as 'stop' would",
            err=True,
        )
