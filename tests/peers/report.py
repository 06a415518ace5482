"""What docs/reliability.md says about the tests of our peers."""

from __future__ import annotations

from peers.exceptions import EXCEPTIONS, Different, LeftOut
from peers.suites import SUITES, all_tests, title


def counts() -> str:
    """How many tests of each peer there are, and what becomes of them."""
    rows = [
        "| suite | tests | pass | differ | left out |",
        "| --- | --- | --- | --- | --- |",
        *(_counts_of(package) for package in SUITES),
    ]
    return "\n".join(rows)


def _counts_of(package: str) -> str:
    tests = len(all_tests(package))
    kinds = [type(each) for each in EXCEPTIONS[package].values()]
    different, left_out = kinds.count(Different), kinds.count(LeftOut)
    passing = tests - different - left_out
    return f"| {title(package)} | {tests} | {passing} | {different} | {left_out} |"


def exceptions() -> str:
    """The exceptions, those that have the same reason in one row."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for listed in EXCEPTIONS.values():
        for name, exception in listed.items():
            kind = "differs" if isinstance(exception, Different) else "left out"
            reasons.setdefault((kind, exception.reason), []).append(name)
    rows = ["| tests | | why |", "| --- | --- | --- |"]
    for (kind, reason), names in reasons.items():
        rows.append(f"| {_without_modules(names)} | {kind} | {reason} |")
    return "\n".join(rows)


def _without_modules(names: list[str]) -> str:
    return ", ".join(f"`{name.partition('.')[2]}`" for name in names)
