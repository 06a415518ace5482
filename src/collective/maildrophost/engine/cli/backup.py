"""`maildropctl backup`: a consistent copy of the queue while everything runs."""

from __future__ import annotations

from pathlib import Path

import click

from .configured import Configured, pass_configured
from .output import print_json, printable, size
from .parameters import json_option
from .progress import steps


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
@pass_configured
def backup_command(configured: Configured, file: Path, as_json: bool) -> None:
    """Copy an SQLite queue to a new FILE while everything runs.

    The copy is the queue as it is at one moment, and is checked. FILE has all waiting
    mail in it, so it gets mode 0600. A file that exists is never overwritten.
    """
    configuration = configured.load()
    from sqlalchemy.engine import make_url

    url = make_url(configuration.queue)
    if url.get_backend_name() != "sqlite":
        raise click.ClickException(
            "the queue is no SQLite file: back it up with the tools of its database"
        )
    if not configured.has_queue():
        raise click.ClickException(
            "there is no queue yet: the first mail, or the first start, makes it"
        )
    from ..queue.sqlite.backup import backup
    from ..queue.sqlite.database import path_of

    with steps("copying") as tell:
        octets = backup(path_of(url), file.absolute(), tell)
    if as_json:
        print_json({"file": str(file.absolute()), "bytes": octets})
    else:
        click.echo(f"{printable(str(file))}: {size(octets)} bytes")
