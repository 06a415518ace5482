"""The table shows plainly what was reached and what was not."""

from __future__ import annotations

from benchmarks.measuring import Figures
from benchmarks.table import Goal, middle, table, verdicts


def run(rate: float) -> Figures:
    return Figures(1000, 1000 / rate, cpu_seconds=0.5, memory_bytes=40_000_000)


def words(line: str) -> str:
    return " ".join(line.split())


def test_the_run_in_the_middle_counts():
    assert middle([run(300), run(100), run(200)]) == run(200)
    assert middle([run(300), run(100)]) == run(100)
    assert middle([run(300)]) == run(300)


def test_a_line_has_rate_span_ratio_processor_and_memory():
    runs = {"ours": [run(400)], "theirs": [run(100), run(80), run(160)]}
    title, head, ours, theirs = table("here", "ours", runs).splitlines()
    assert title == "here"
    assert words(head) == (
        "messages per second lowest-highest ours is CPU s/1000 peak MB"
    )
    assert words(ours) == "ours 1000 400.0 400-400 1.00x 0.500 40"
    assert words(theirs) == "theirs 1000 100.0 80-160 4.00x 0.500 40"


def test_a_goal_is_reached_short_or_not_run():
    settings = {"here": {"ours": [run(400)], "theirs": [run(100)]}}
    goals = [Goal("here", "theirs", 4.0), Goal("here", "theirs", 4.5)]
    _, reached, short, absent = verdicts(
        [*goals, Goal("here", "others", 2.0)], "ours", settings
    ).splitlines()
    assert words(reached) == "here: ours to theirs 4.00x 4.00x ok"
    assert words(short) == "here: ours to theirs 4.50x 4.00x SHORT"
    assert words(absent) == "here: ours to others 2.00x not run"
