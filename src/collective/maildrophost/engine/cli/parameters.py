"""What is typed on the command line, as the engine knows it: words, times, queues."""

from __future__ import annotations

import os
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..clock import parse_rfc3339

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from ..message import Lane
    from ..queue import State


class _Words(click.ParamType):  # type: ignore[type-arg]
    """One of a few words; asks the engine for them only when one is given.

    CHOICES has them for a help text, which needs no engine.
    """

    CHOICES: str

    def words(self) -> dict[str, Any]:
        raise NotImplementedError

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Any:
        if isinstance(value, Enum):
            return value
        words = self.words()
        try:
            return words[value.lower()]
        except KeyError:
            known = ", ".join(words)
            self.fail(f"{value!r} is no {self.name}: choose from {known}", param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        return [
            CompletionItem(word) for word in self.words() if word.startswith(incomplete)
        ]


class LaneName(_Words):
    """A lane of the queue."""

    name = "lane"
    CHOICES = "interactive, normal or bulk"

    def words(self) -> dict[str, Lane]:
        from ..message import LANES_BY_LABEL

        return LANES_BY_LABEL


class StateName(_Words):
    """A state of a message."""

    name = "state"
    CHOICES = "prepared, queued, deferred, sending, held, failed or sent"

    def words(self) -> dict[str, State]:
        from ..queue.states import State

        return {state.value: state for state in State}


class Moment(click.ParamType):  # type: ignore[type-arg]
    """An RFC 3339 time, as seconds since the epoch."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        if isinstance(value, float):
            return value
        try:
            return parse_rfc3339(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class QueueSource(click.Path):
    """Where mail waits: a directory, as a Path, or the URL of a queue."""

    name = "path"

    def __init__(self) -> None:
        super().__init__(exists=True, file_okay=False, path_type=Path)

    def convert(
        self,
        value: Any,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:
        if not isinstance(value, str):
            return super().convert(value, param, ctx)
        from ..queue import exists
        from ..queueurl import EXPECTED, parse_queue_url

        if "://" not in value:
            if "@" in value and not os.path.exists(value):
                # It may be a mistyped URL with a password, which nobody must see.
                self.fail(f"{EXPECTED} (or a directory)", param, ctx)
            return super().convert(value, param, ctx)

        try:
            url = parse_queue_url(value)
            is_there = exists(url)
        except ValueError as error:
            self.fail(f"{error} (or a directory)", param, ctx)
        if not is_there:
            self.fail(f"{url}: there is no such queue", param, ctx)
        return url


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
