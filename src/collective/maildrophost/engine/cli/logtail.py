"""`maildropctl logtail`: the end of the log, then whatever is added to it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import click

from .configured import Configured, pass_configured
from .output import printable

POLL_SECONDS = 0.2
BLOCK_BYTES = 8192
_OF_EACH_PROCESS = ("/dev/stdout", "/dev/stderr", "/dev/fd/", "/proc/")


@click.command("logtail")
@click.option(
    "--lines",
    "-n",
    default=20,
    show_default=True,
    type=click.IntRange(min=0),
    help="How many of the last lines to show first.",
)
@pass_configured
def logtail_command(configured: Configured, lines: int) -> None:
    """Show the end of the log, then follow it.

    Ctrl-C ends it. A rotation of the log does not.
    """
    path = configured.load().log_file
    if _is_console(path):
        raise click.ClickException(
            f"{path} is where the daemon prints, not a file with an end to show: look "
            "where that goes (journalctl, the container engine, maildrop.out)"
        )
    try:
        for line in follow(path, lines):
            click.echo(printable(line.decode("utf-8", "backslashreplace")))
    except FileNotFoundError:
        raise click.ClickException(
            f"{path} does not exist: the daemon has not run yet"
        ) from None
    except BrokenPipeError:
        raise  # its reader has seen enough
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror or error}") from None
    except KeyboardInterrupt:
        click.echo()


def _is_console(path: Path) -> bool:
    """Whether it means another place in each process, or one that keeps nothing."""
    own = str(path).startswith(_OF_EACH_PROCESS)
    return own or path.is_char_device() or path.is_fifo()


def follow(path: Path, lines: int) -> Iterator[bytes]:
    """The last `lines` of the file, then each line that is added, without its end.

    The file may be renamed and made anew, or cut: nothing is shown twice. Raises
    OSError when the file cannot be read at the beginning.
    """
    stream: BinaryIO = path.open("rb")
    try:
        _seek_last(stream, lines)
        while True:
            yield from _whole_lines(stream)
            time.sleep(POLL_SECONDS)
            if (successor := _successor(stream, path)) is not None:
                yield from _whole_lines(stream)  # written between the last look and now
                stream.close()
                stream = successor
    finally:
        stream.close()


def _seek_last(stream: BinaryIO, lines: int) -> None:
    end = position = stream.seek(0, os.SEEK_END)
    newlines = 0
    # One newline more than lines: the one before the first of them.
    while position > 0 and newlines <= lines:
        start = max(0, position - BLOCK_BYTES)
        stream.seek(start)
        newlines += stream.read(position - start).count(b"\n")
        position = start
    stream.seek(position)
    tail = stream.read(end - position)
    wanted = tail.splitlines(keepends=True)[-lines:] if lines else []
    stream.seek(end - sum(map(len, wanted)))


def _whole_lines(stream: BinaryIO) -> Iterator[bytes]:
    while (line := stream.readline()).endswith(b"\n"):
        yield line[:-1]
    stream.seek(-len(line), os.SEEK_CUR)  # the writer has not finished it


def _successor(stream: BinaryIO, path: Path) -> BinaryIO | None:
    """The file that has taken the place of `stream`; None while there is none."""
    try:
        now = path.stat()
        before = os.fstat(stream.fileno())
        replaced = (now.st_dev, now.st_ino) != (before.st_dev, before.st_ino)
        cut = not replaced and now.st_size < stream.tell()
        return path.open("rb") if replaced or cut else None
    except FileNotFoundError:
        return None  # it is being rotated at this moment
