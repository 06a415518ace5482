"""The program `maildropctl`: runs a command, says in one line what went wrong.

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
from .commands import COMMANDS
from .configured import Configured
from .output import leave_standard_output, printable

_OTHERS_WRITE = 0o002


class Stopped(Exception):
    """A person has ended a command with Ctrl-C, or answered its question with no."""


class _Commands(click.Group):
    """A group whose commands are imported one by one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"{__package__}.{COMMANDS[cmd_name].module}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        command.epilog = _examples(ctx, cmd_name)
        return command


def _examples(ctx: click.Context, name: str) -> str:
    program = ctx.find_root().info_name or "maildropctl"
    lines = [f"  {program} {example}" for example in COMMANDS[name].examples]
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
    """As `main`; when a person stops the command, says so and raises Stopped."""
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
        # Most likely standard output: a command reports its own files' errors itself.
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
    # Otherwise a question was answered with no, and nothing was done.
    interrupted = isinstance(aborted.__cause__, KeyboardInterrupt)
    return _without_words(said, configured) if interrupted else said


def _without_words(fault: str, configured: Configured) -> str:
    """What to say of a command that could not say what it had done."""
    command = COMMANDS.get(configured.command or "")
    if command is not None and command.acts_on_mail:
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
    """Make no file that everybody may write: in some containers the umask is 0."""
    os.umask(os.umask(_OTHERS_WRITE) | _OTHERS_WRITE)


def _have_where_to_print() -> None:
    """Print into the void where standard output, or standard error, is closed.

    Otherwise the first file opened, the queue say, would get its number.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115  to the end


def _print_whatever_the_locale_cannot() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
