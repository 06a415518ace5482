"""What was measured, as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .measuring import Figures

MEGABYTE = 1_000_000
_HEAD = (
    f"{'':30}{'messages':>9}{'per second':>11}{'lowest-highest':>16}"
    f"{'ours is':>9}{'CPU s/1000':>11}{'peak MB':>8}"
)
GOALS_HEAD = f"{'to reach':58}{'goal':>7}{'measured':>10}"


@dataclass(frozen=True)
class Goal:
    """How many `times` as fast as a `peer` we want to be."""

    setting: str
    peer: str
    times: float


def middle(runs: Sequence[Figures]) -> Figures:
    """The run with the median rate; of two in the middle, the slower one."""
    return sorted(runs, key=lambda run: run.rate)[(len(runs) - 1) // 2]


def table(title: str, ours: str, runs: Mapping[str, Sequence[Figures]]) -> str:
    """A line for everybody who took part; `ours` names the one to compare."""
    lines = [title, _HEAD]
    own_rate = middle(runs[ours]).rate
    for name, each in runs.items():
        figures = middle(each)
        rates = sorted(run.rate for run in each)
        span = f"{rates[0]:.0f}-{rates[-1]:.0f}"
        lines.append(
            f"{name:30}{figures.messages:9}{figures.rate:11.1f}{span:>16}"
            f"{own_rate / figures.rate:8.2f}x{figures.cpu_per_thousand:11.3f}"
            f"{figures.memory_bytes / MEGABYTE:8.0f}"
        )
    return "\n".join(lines)


def verdicts(
    goals: Sequence[Goal],
    ours: str,
    settings: Mapping[str, Mapping[str, Sequence[Figures]]],
) -> str:
    """A line for each goal: what was to reach, what was reached, ok or short."""
    lines = [GOALS_HEAD]
    for goal in goals:
        runs = settings[goal.setting]
        if goal.peer in runs:
            times = middle(runs[ours]).rate / middle(runs[goal.peer]).rate
            lines.append(goal_line(goal, ours, times))
        else:
            lines.append(f"{_what(goal, ours)}{goal.times:6.2f}x{'not run':>10}")
    return "\n".join(lines)


def goal_line(goal: Goal, ours: str, times: float) -> str:
    """What was to reach, what was reached, ok or short."""
    verdict = "ok" if times >= goal.times else "SHORT"
    return f"{_what(goal, ours)}{goal.times:6.2f}x{times:9.2f}x {verdict}"


def _what(goal: Goal, ours: str) -> str:
    return f"{f'{goal.setting}: {ours} to {goal.peer}':58}"
