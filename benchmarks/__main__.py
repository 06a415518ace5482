"""`make bench`: what a page pays, then who delivers how fast; more by name."""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import NoReturn

from . import churn, growth, page, shared
from .delivery import (
    CONNECTIONS,
    COUNTS,
    GOALS,
    LATE,
    LATE_SECONDS,
    LOOPBACK,
    OURS,
    compare,
    contestants,
)
from .failure import BenchmarkFailed
from .letters import LETTER_BYTES
from .programs import installed
from .table import table, verdicts
from .versions import has_uvloop, versions

ROUNDS = 3


def main(arguments: list[str]) -> int:
    """0 when all was measured, whatever came out; 1 when not; 2 for wrong usage."""
    kind, *more = arguments or [""]
    known = kind in ("", "growth", "shared") and not more
    if not (known or (kind == "churn" and _enough(more))):
        print(
            "usage: make bench [GROWTH=1|SHARED=1|CHURN=MESSAGES], "
            f"{churn.LEAST_MESSAGES} messages at least",
            file=sys.stderr,
        )
        return 2
    # So that what was started is stopped; a script's background has SIGINT ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGHUP, _end)
    try:
        _say(versions())
        if kind == "growth":
            _say(growth.report(growth.measure_growth()))
        elif kind == "shared":
            shared.main()
        elif kind == "churn":
            churn.main(int(more[0]))
        else:
            page.main()
            _delivery()
    except BenchmarkFailed as failure:
        print(f"FAILED: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; everything is stopped", file=sys.stderr)
        return 1
    return 0


def _enough(words: list[str]) -> bool:
    return (
        len(words) == 1
        and words[0].isdecimal()
        and int(words[0]) >= churn.LEAST_MESSAGES
    )


def _delivery() -> None:
    able, absent = contestants()
    for each in absent:
        _say(f"without {each.name}: {each.reason}")
    sink = "smtp-sink" if installed("smtp-sink") else "a server of our own"
    late = f"a server that answers {LATE_SECONDS * 1000:.0f} ms late"
    titles = {LOOPBACK: f"{LOOPBACK}, into {sink}", LATE: f"{LATE}, into {late}"}
    settings = {}
    for setting, title in titles.items():
        settings[setting] = compare(setting, able, COUNTS[setting], ROUNDS)
        _say(table(_title(title), OURS, settings[setting]))
    _say(verdicts(GOALS, OURS, settings))


def _title(title: str) -> str:
    loop = "uvloop" if has_uvloop() else "asyncio"
    return (
        f"{title}; {LETTER_BYTES} bytes a message, {CONNECTIONS} connections "
        f"(zope.sendmail: 1), maildrophost on {loop}, medians of {ROUNDS}"
    )


def _say(text: str) -> None:
    print(f"\n{text}", flush=True)


def _end(number: int, frame: FrameType | None) -> NoReturn:
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
