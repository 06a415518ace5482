"""What a person does to messages: retry, hold, release, delete."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from . import exits
from .configured import Configured, pass_configured
from .output import messages, print_json, printable
from .parameters import LaneName, StateName, json_option

if TYPE_CHECKING:
    from ..crowd import Asked
    from ..message import Lane
    from ..queue import Done, Search, State


@dataclass(frozen=True)
class _Selection:
    """Which messages are meant: ``ID…``, or ``--all [--state S]``."""

    ids: tuple[str, ...]
    everything: bool
    state: State | None

    @property
    def is_made(self) -> bool:
        """Whether any of these was given."""
        return bool(self.ids) or self.everything or self.state is not None

    def check(self, action: str) -> None:
        """Raises UsageError unless it says which messages."""
        if bool(self.ids) == self.everything:
            raise click.UsageError(
                f"say which messages to {action}: either ids or --all"
            )
        if self.state is not None and not self.everything:
            raise click.UsageError("--state goes with --all")

    @property
    def search(self) -> Search:
        """What finds the messages of ``--all``."""
        from ..queue import IN_QUEUE, Search

        return Search(states=IN_QUEUE if self.state is None else (self.state,))


def _selects(command: Callable[..., int]) -> Callable[..., Any]:
    """Give a command its `_Selection` and ``--json``."""

    @click.argument("ids", metavar="[ID]...", nargs=-1)
    @click.option("--all", "everything", is_flag=True, help="All messages.")
    @click.option(
        "--state",
        type=StateName(),
        help=f"With --all: only those in this state: {StateName.CHOICES}.",
    )
    @json_option
    @wraps(command)
    @pass_configured
    def with_selection(
        configured: Configured,
        /,
        ids: tuple[str, ...],
        everything: bool,
        state: State | None,
        **options: Any,
    ) -> int:
        return command(configured, _Selection(ids, everything, state), **options)

    return with_selection


_lane_option = click.option(
    "--lane", type=LaneName(), help=f"The whole lane instead: {LaneName.CHOICES}."
)


@click.command("retry")
@_selects
def retry_command(configured: Configured, selected: _Selection, as_json: bool) -> int:
    """Try deferred or failed messages again at once.

    A failed message gets its whole lifetime anew.
    """
    return _on_messages(configured, "retry", selected, as_json)


@click.command("hold")
@_selects
@_lane_option
def hold_command(
    configured: Configured, selected: _Selection, as_json: bool, lane: Lane | None
) -> int:
    """Hold messages back until they are released.

    With --lane, the whole lane stops, new mail included: 'hold --lane bulk' stops a
    newsletter that is going out.
    """
    if lane is not None:
        return _on_lane(configured, "hold", lane, selected, as_json)
    return _on_messages(configured, "hold", selected, as_json)


@click.command("release")
@_selects
@_lane_option
def release_command(
    configured: Configured, selected: _Selection, as_json: bool, lane: Lane | None
) -> int:
    """Let held messages, or a held lane, go on.

    A prepared message belongs to a transaction that a crash may have cut off. It is
    released only if you name it, or with --all --state prepared. Make sure that the
    transaction committed: what is released is sent.
    """
    if lane is not None:
        return _on_lane(configured, "release", lane, selected, as_json)
    return _on_messages(configured, "release", selected, as_json)


@click.command("delete")
@_selects
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete_command(
    configured: Configured, selected: _Selection, as_json: bool, yes: bool
) -> int:
    """Delete messages for good.

    Nobody gets a notification. What is being sent at this moment stays. Prepared
    messages, and the records of sent ones, are deleted only if you name them, or with
    --all and their --state.
    """
    if not selected.everything or selected.ids or yes:
        return _on_messages(configured, "delete", selected, as_json)
    return _ask_and_delete_all(configured, selected, as_json)


def _ask_and_delete_all(
    configured: Configured, selected: _Selection, as_json: bool
) -> int:
    from ..crowd import MoreThanAsked

    while True:
        asked = _ask(configured, selected)
        try:
            return _on_messages(configured, "delete", selected, as_json, asked)
        except MoreThanAsked as error:
            click.echo(f"Nothing was deleted: {error}.", err=True)


def _ask(configured: Configured, selected: _Selection) -> Asked:
    # It is None when whoever started the command has closed it.
    if sys.stdin is None:
        raise _nobody_answers()
    asked, affected = _what_to_ask(configured, selected)
    state = selected.state
    which = f"all {state.value} messages" if state else "all messages"
    question = f"{messages(affected)} to delete. Delete {which} for good?"
    try:
        agreed = click.confirm(question, err=True)
    except click.Abort:
        if sys.stdin.isatty():
            raise
        raise _nobody_answers() from None
    if not agreed:
        raise click.Abort
    return asked


def _nobody_answers() -> click.UsageError:
    return click.UsageError("delete --all needs --yes where it cannot ask")


def _what_to_ask(configured: Configured, selected: _Selection) -> tuple[Asked, int]:
    from ..crowd import Asked, ask_about
    from ..queue import Present

    if not configured.has_queue():
        return Asked(Present(newest=0), matching=0), 0
    with configured.queue() as queue, queue.read() as tx:
        return ask_about(tx, "delete", selected.search)


def _on_messages(
    configured: Configured,
    action: str,
    selected: _Selection,
    as_json: bool,
    asked: Asked | None = None,
) -> int:
    selected.check(action)
    if not configured.has_queue():
        return _report(action, _nothing_done(selected.ids), as_json)
    from ..actions import act
    from ..crowd import act_on_all, prepared_left_alone
    from ..queue import Done

    with configured.queue() as queue:
        if not selected.everything:
            return _report(action, act(queue, action, selected.ids), as_json)
        done = Done(act_on_all(queue, action, selected.search, asked), {})
        status = _report(action, done, as_json)
        if left_alone := prepared_left_alone(queue, action, selected.search):
            click.echo(_LEFT_ALONE.format(messages(left_alone, "prepared")), err=True)
    return status


_LEFT_ALONE = (
    "{} left alone: of a transaction that still runs or may just be ending, or on the "
    "way to another queue. Name one to decide about it, or to see why you cannot"
)


def _nothing_done(ids: Sequence[str]) -> Done:
    """The answer where nobody has made the queue yet."""
    from ..queue import Done
    from ..queue.leftalone import NoSuchMessage

    return Done((), dict.fromkeys(ids, NoSuchMessage()))


_SAID = {
    "retry": "tried again at once",
    "hold": "held",
    "release": "released",
    "delete": "deleted",
}
_ALREADY = {
    "retry": "is due already",
    "hold": "was held already",
    "release": "was not held",
}


def _report(action: str, done: Done, as_json: bool) -> int:
    if as_json:
        changed, already = list(done.changed), list(done.already)
        refused = {id: str(reason) for id, reason in done.refused.items()}
        print_json({"changed": changed, "already": already, "refused": refused})
        return exits.FAILED if done.refused else exits.DONE
    click.echo(f"{messages(len(done.changed))} {_SAID[action]}")
    for id in done.already:
        click.echo(f"message {id} {_ALREADY[action]}")
    for id, reason in done.refused.items():
        click.echo(f"message {printable(id)}: {reason}", err=True)
    return exits.FAILED if done.refused else exits.DONE


def _on_lane(
    configured: Configured,
    action: str,
    lane: Lane,
    selected: _Selection,
    as_json: bool,
) -> int:
    if selected.is_made:
        raise click.UsageError("--lane goes without ids, --all and --state")
    changed = _act_on_lane(configured, action, lane)
    if as_json:
        print_json({"lane": lane.label, "changed": changed})
    elif changed:
        click.echo(f"lane {lane.label} {_SAID[action]}")
    else:
        click.echo(f"lane {lane.label} {_ALREADY[action]}")
    return exits.DONE


def _act_on_lane(configured: Configured, action: str, lane: Lane) -> bool:
    if action == "release" and not configured.has_queue():
        return False
    from ..actions import act_on_lane

    with configured.queue() as queue:
        return act_on_lane(queue, action, lane)
