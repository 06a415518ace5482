"""What a command works with: one configuration, its queue."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import exits
from .output import printable

if TYPE_CHECKING:
    from ..config import Configuration
    from ..queue import Queue


class NoConfiguration(click.ClickException):
    """Nobody said which configuration is meant."""

    exit_code = exits.USAGE


@dataclass
class Configured:
    """The choice of a configuration file, which is not read before it is needed.

    `command` is the command that was typed, once that is known.
    """

    chosen: str | None
    program: str
    command: str | None = None
    _loaded: Configuration | None = None

    @property
    def path(self) -> Path:
        """The configuration file as it was named; raises NoConfiguration."""
        chosen = self.chosen or os.environ.get("MAILDROP_CONFIG")
        if not chosen:
            raise NoConfiguration(
                "which configuration? Give --config FILE or set MAILDROP_CONFIG; "
                f"'{self.program} init FILE' writes a new one"
            )
        return Path(chosen)

    def load(self, warn: bool = True) -> Configuration:
        """The configuration, read once; raises ConfigurationError.

        Its warnings go to standard error, unless `warn` is false.
        """
        if self._loaded is None:
            from ..config import load

            self._loaded = load(self.path)
            for warning in self._loaded.warnings if warn else ():
                click.echo(f"{self.program}: {printable(warning)}", err=True)
        return self._loaded

    def has_queue(self) -> bool:
        """Whether somebody has made the queue.

        A command that only looks must not make it: it might belong to the wrong user.
        Raises ConfigurationError, QueueError.
        """
        configuration = self.load()
        from ..queue import exists

        return exists(configuration.queue)

    @contextmanager
    def queue(self) -> Iterator[Queue]:
        """The queue of the configuration, made when there is none yet.

        Raises ConfigurationError, QueueError.
        """
        configuration = self.load()
        from ..queue import open_queue

        with closing(open_queue(configuration.queue)) as queue:
            yield queue


pass_configured = click.make_pass_decorator(Configured)
