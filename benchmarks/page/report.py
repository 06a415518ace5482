"""What pages paid, as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..table import GOALS_HEAD, MEGABYTE, Goal, goal_line
from .kinds import Kind
from .newsletter import Issue
from .onemail import Load, Paid
from .sides import ALONE, IMMEDIATE, OURS, QUEUED

ONE_MAIL_TIMES, NEWSLETTER_TIMES = 2.0, 20.0
MOST_GROWTH = 1.2
"""A long newsletter may take at most this many times the memory of a short one."""
_LEAST_BYTES = MEGABYTE
"""Any process grows by this much: less is counted as this."""


def one_mail(load: Load, paid: Mapping[str, Paid]) -> str:
    """A line for each side; `ours is`: how many times as fast, by the p50."""
    title = f"one mail, {load.title}"
    lines = [f"{title:30}{'mails':>7}{'p50 ms':>9}{'p99 ms':>9}{'ours is':>9}"]
    own = paid[OURS.name].p50
    for name, each in paid.items():
        lines.append(
            f"{name:30}{len(each.milliseconds):7}{each.p50:9.3f}{each.p99:9.3f}"
            f"{each.p50 / own:8.2f}x"
        )
    return "\n".join(lines)


def one_mail_goals(load: Load, paid: Mapping[str, Paid]) -> str:
    """A line for each goal: by how many times the p50 of ours is to be lower."""
    own = paid[OURS.name].p50
    lines = [GOALS_HEAD]
    for peer in (QUEUED, ALONE):
        goal = Goal(load.title, peer.name, ONE_MAIL_TIMES)
        lines.append(goal_line(goal, OURS.name, paid[peer.name].p50 / own))
    return "\n".join(lines)


def newsletter(
    kind: Kind,
    issues: Mapping[str, Sequence[Issue]],
    short: Mapping[str, Sequence[Issue]],
) -> str:
    """A line for each side, then the goals."""
    rows = [*short.items(), *issues.items()]
    title = f"newsletter, {kind.name}"
    lines = [f"{title:30}{'mails':>7}{'seconds':>9}{'grown MB':>9}{'ours is':>9}"]
    own = middle(issues[OURS.name])
    for name, each in rows:
        issue = middle(each)
        ratio = issue.seconds / issue.mails / (own.seconds / own.mails)
        lines.append(
            f"{name:30}{issue.mails:7}{issue.seconds:9.3f}"
            f"{_grown(each) / MEGABYTE:9.1f}{ratio:8.2f}x"
        )
    lines.append(GOALS_HEAD)
    for peer in (QUEUED, IMMEDIATE):
        if peer.name not in issues:
            continue
        goal = Goal(title, peer.name, NEWSLETTER_TIMES)
        times = middle(issues[peer.name]).seconds / own.seconds
        lines.append(goal_line(goal, OURS.name, times))
    grown = _grown(short[OURS.name]), _grown(issues[OURS.name])
    lines.append(_memory_line(title, *grown))
    return "\n".join(lines)


def middle(issues: Sequence[Issue]) -> Issue:
    """The one with the median time; of two in the middle, the slower one."""
    return sorted(issues, key=lambda issue: issue.seconds)[len(issues) // 2]


def _grown(issues: Sequence[Issue]) -> int:
    return max(issue.grown_bytes for issue in issues)


def _memory_line(title: str, short: int, long: int) -> str:
    growth = max(long, _LEAST_BYTES) / max(short, _LEAST_BYTES)
    verdict = "ok" if growth <= MOST_GROWTH else "SHORT"
    what = f"{title}: memory of the long one to the short one"
    return f"{what:58}{MOST_GROWTH:6.2f}x{growth:9.2f}x {verdict}"
