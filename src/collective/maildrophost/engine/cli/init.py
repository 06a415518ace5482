"""`maildropctl init`: a new configuration with every option explained."""

from __future__ import annotations

import os
import shlex
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .configured import Configured, pass_configured

if TYPE_CHECKING:
    from ..config import Option

_LINE_LENGTH = 79
_HEAD = """\
# Configuration of a mail daemon (collective.maildrophost).
#
# NAME=value, without blanks around the =; a shell can source this file. A line that
# starts with #NAME= shows the default: remove the # to change it. An environment
# variable of the same name wins over this file.
"""


@click.command("init")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--home",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="MAILDROP_HOME: where the queue, the log and the drop directory go.  "
    "[default: the directory of FILE]",
)
@pass_configured
def init_command(configured: Configured, file: Path, home: Path | None) -> None:
    """Write a commented configuration to FILE.

    A file that exists is never overwritten.
    """
    file = file.absolute()
    _write_new(file, configuration_text((home or file.parent).absolute()))
    shown = shlex.quote(str(file))
    click.echo(f"wrote {file}")
    click.echo("next: name your relay there (SMTP_HOST), then")
    click.echo(f"  {configured.program} --config {shown} check")
    click.echo(f"  {configured.program} --config {shown} start")


def configuration_text(home: Path) -> str:
    """A configuration that says only where `home` is, with every default in sight."""
    from ..config import OPTIONS

    return "\n".join([_HEAD, *(_entry(option, home) for option in OPTIONS)])


def _entry(option: Option, home: Path) -> str:
    comment = textwrap.fill(
        option.doc, _LINE_LENGTH, initial_indent="# ", subsequent_indent="# "
    )
    if option.default is None:
        return f"{comment}\n{option.name}={_quoted(str(home))}\n"
    return f"{comment}\n#{option.assignment()}\n"


def _quoted(text: str) -> str:
    """`text` in quotes that keep every character as it is, for a shell as well."""
    return shlex.quote(text) if set(text) & set('$`"\\') else f'"{text}"'


def _write_new(file: Path, text: str) -> None:
    try:
        octets = text.encode()
    except UnicodeEncodeError:
        raise click.ClickException(
            f"{file} was not written: it would be in UTF-8, and the name of "
            "MAILDROP_HOME cannot be; choose another with --home"
        ) from None
    _check(file, text)
    try:
        # Readable for its owner alone: a password may be put there later.
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise click.ClickException(
            f"{file} exists and stays as it is: choose another name, or remove it"
        ) from None
    except OSError as error:
        raise click.ClickException(
            f"cannot write {file}: {error.strerror}; is its directory there?"
        ) from None
    try:
        with open(descriptor, "wb") as stream:
            stream.write(octets)
    except OSError as error:
        file.unlink()
        raise click.ClickException(f"cannot write {file}: {error.strerror}") from None


def _check(file: Path, text: str) -> None:
    from ..config.validation import fault

    # A home may be valid by itself, but not in the default of another option, say.
    if error := fault(text):
        raise click.ClickException(
            f"{file} was not written: {error.option}: {error.expected}; choose "
            "another MAILDROP_HOME with --home"
        )
