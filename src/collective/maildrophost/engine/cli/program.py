"""The program `maildropctl`: its commands, its errors as one line with an exit status.

Exit status: 0 done, 1 failed, 2 usage or configuration error, 3 not running (`status`).
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from ..errors import MaildropError
from . import exits
from .configured import Configured
from .output import leave_standard_output, printable

_OTHERS_WRITE = 0o002

# Where each command lives, in the order of the help. Its module is imported when the
# command is asked for, and imports the database or the daemon only when it runs.
COMMANDS = {
    "init": "init",
    "check": "check",
    "run": "foreground",
    "start": "background",
    "stop": "background",
    "restart": "background",
    "reload": "background",
    "fg": "foreground",
    "logtail": "logtail",
    "status": "status",
    "send": "send",
    "queue": "listing",
    "show": "listing",
    "retry": "actions",
    "hold": "actions",
    "release": "actions",
    "delete": "actions",
    "stats": "stats",
    "import": "takeover",
    "backup": "backup",
}

ACT_ON_MAIL = ("send", "retry", "hold", "release", "delete", "import")
"""Commands that may have done their work when they cannot say so."""

EXAMPLES = {
    "init": ("init /srv/mail/maildrop.conf",),
    "check": ("check", "check --json"),
    "run": ("run", "run --once"),
    "start": ("start",),
    "stop": ("stop",),
    "restart": ("restart",),
    "reload": ("reload",),
    "fg": ("fg",),
    "logtail": ("logtail --lines 100",),
    "status": ("status", "status --json"),
    "send": ("send -f cron@example.org root@example.org",),
    "queue": ("queue --state failed", "queue --limit 1000 --json"),
    "show": ("show 17", "show 17 --raw"),
    "retry": ("retry 17 18", "retry --all --state failed"),
    "hold": ("hold 17", "hold --lane bulk"),
    "release": ("release 17", "release --lane bulk"),
    "delete": ("delete 17", "delete --all --state failed"),
    "stats": ("stats --json",),
    "import": ("import /srv/plone/var/mailqueue",),
    "backup": ("backup /srv/backup/queue-monday.db",),
}
"""Shown at the end of each command's help."""


class Stopped(Exception):
    """A person has ended a command with Ctrl-C, or answered its question with no."""


class _Commands(click.Group):
    """A group whose commands are imported one by one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"{__package__}.{COMMANDS[cmd_name]}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        command.epilog = _examples(ctx, cmd_name)
        return command


def _examples(ctx: click.Context, name: str) -> str:
    program = ctx.find_root().info_name or "maildropctl"
    lines = [f"  {program} {example}" for example in EXAMPLES[name]]
    return "\n".join(["\b", "Examples:", *lines])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(
    package_name="collective.maildrophost",
    message="collective.maildrophost %(version)s",
)
@click.option(
    "--config",
    metavar="FILE",
    help="The configuration of the daemon.  [default: $MAILDROP_CONFIG]",
)
@click.pass_context
def _maildropctl(ctx: click.Context, config: str | None) -> None:
    """Runs the mail daemon; looks after the mail in its queue."""
    ctx.obj.command = ctx.invoked_subcommand
    if config is not None:
        ctx.obj.chosen = config


def main(
    argv: Sequence[str] | None = None,
    config: str | None = None,
    prog_name: str = "maildropctl",
) -> int:
    """Run one command; the exit status.

    `argv` is the command line without the program's name. `config` binds the program to
    one configuration file, so that neither ``--config`` nor the environment is needed.
    """
    try:
        return attempt(argv, config, prog_name)
    except Stopped:
        return exits.FAILED


def attempt(argv: Sequence[str] | None, config: str | None, prog_name: str) -> int:
    """As `main`; raises Stopped, once that is said, when a person has enough of it."""
    _let_nobody_else_write()
    _have_where_to_print()
    _print_whatever_the_locale_cannot()
    configured = Configured(config, prog_name)
    try:
        status = _maildropctl.main(
            argv, prog_name, standalone_mode=False, obj=configured
        )
    except click.UsageError as error:
        error.show()
        return exits.USAGE
    except click.Abort as aborted:
        _failed(prog_name, _stopped(aborted, configured), exits.FAILED)
        raise Stopped from None
    except click.ClickException as error:
        return _failed(prog_name, error.format_message(), error.exit_code)
    except MaildropError as error:
        return _failed(prog_name, str(error), _status_of(error))
    except OSError as error:
        # Standard output most likely: what a command works with it names itself.
        with contextlib.suppress(OSError, AttributeError):
            leave_standard_output()
        return _failed(prog_name, _without_words(str(error), configured), exits.FAILED)
    except SystemExit as ended:
        # click ends by itself when a reader (head, less) has seen enough.
        return int(ended.code or exits.DONE)
    return status or exits.DONE


def _stopped(aborted: click.Abort, configured: Configured) -> str:
    """What to say of a command that a person has stopped."""
    said = "stopped before the end"
    # Else a question was answered with no, and nothing was done.
    interrupted = isinstance(aborted.__cause__, KeyboardInterrupt)
    return _without_words(said, configured) if interrupted else said


def _without_words(fault: str, configured: Configured) -> str:
    """What to say of a command that could not say what it had done."""
    if configured.command in ACT_ON_MAIL:
        return f"{fault}; 'queue' and 'show' tell what has become of the mail"
    return fault


def _status_of(error: MaildropError) -> int:
    from ..config import ConfigurationError

    return exits.USAGE if isinstance(error, ConfigurationError) else exits.FAILED


def _failed(prog_name: str, message: str, status: int) -> int:
    line = " ".join(printable(part) for part in message.splitlines())
    click.echo(f"{prog_name}: {line}", err=True)
    return status


def _let_nobody_else_write() -> None:
    """Into no file that is made, whatever is allowed: some containers mask nothing."""
    os.umask(os.umask(_OTHERS_WRITE) | _OTHERS_WRITE)


def _have_where_to_print() -> None:
    """Print into the void where there is no standard output, or error.

    What is opened first would have its number else, the queue say.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115  to the end


def _print_whatever_the_locale_cannot() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
