"""Every durable step of the source: where it changes the queue, or a file.

A step is a call. It is found by its shape in the source, and known again, when it runs,
by its place: so nothing in the source has to know of crash points.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import FrameType

import collective.maildrophost

SOURCE = Path(collective.maildrophost.__file__).parent
GENERATOR = 0x20
"""CO_GENERATOR, see the module inspect."""

_FILES = {"hardlink_to", "link", "mkstemp", "rename", "symlink_to", "touch", "unlink"}
_FILES |= {"write_bytes", "write_text"}
_OF_OS = {"remove", "removedirs", "rmdir", "truncate", "ftruncate", "symlink"}
_PRAGMAS = ("PRAGMA incremental_vacuum", "PRAGMA wal_checkpoint")
_PRAGMAS += ("PRAGMA journal_mode",)


@dataclass(frozen=True)
class Step:
    """A call in the source, from its first to its last line."""

    name: str
    file: str
    first: int
    last: int


@cache
def durable_steps() -> dict[str, Step]:
    """All of them by name: `module.Class.function`, and the call where it is a file's.

    Several in one function are numbered in their order.
    """
    found = [step for path in sorted(SOURCE.rglob("*.py")) for step in _steps_of(path)]
    return {step.name: step for step in found}


def step_of(frame: FrameType | None) -> str | None:
    """The step that `frame` is at, or that has called it through context managers."""
    while frame is not None:
        for step in _by_file().get(frame.f_code.co_filename, ()):
            if step.first <= frame.f_lineno <= step.last:
                return step.name
        through = frame.f_code.co_flags & GENERATOR
        if not through and Path(frame.f_code.co_filename).name != "contextlib.py":
            return None
        frame = frame.f_back
    return None


def caller_is_ours(frame: FrameType | None) -> bool:
    """Whether the first caller outside of contextlib is a file of the source."""
    while frame and Path(frame.f_code.co_filename).name == "contextlib.py":
        frame = frame.f_back
    return frame is not None and frame.f_code.co_filename.startswith(str(SOURCE))


@cache
def _by_file() -> dict[str, list[Step]]:
    files: dict[str, list[Step]] = {}
    for step in durable_steps().values():
        files.setdefault(step.file, []).append(step)
    return files


def _steps_of(path: Path) -> Iterator[Step]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    module = ".".join(path.relative_to(SOURCE).with_suffix("").parts)
    finder = _Finder(_ways_to_write(tree))
    finder.visit(tree)
    counts = Counter(name for name, _ in finder.found)
    numbers: Counter[str] = Counter()
    for name, call in sorted(finder.found, key=lambda each: each[1].lineno):
        numbers[name] += 1
        number = f" {numbers[name]}" if counts[name] > 1 else ""
        yield Step(
            f"{module}.{name}{number}",
            str(path),
            call.lineno,
            call.end_lineno or call.lineno,
        )


def _ways_to_write(tree: ast.Module) -> set[str]:
    """Names of context managers of this module that open a transaction, `write` too."""
    ways = {"write"}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and _is_context_manager(node):
            calls = [each for each in ast.walk(node) if isinstance(each, ast.Call)]
            if any(_is_bare(call, ways) for call in calls):
                ways.add(node.name)
    return ways


def _is_context_manager(node: ast.FunctionDef) -> bool:
    return any("contextmanager" in ast.unparse(each) for each in node.decorator_list)


def _is_bare(call: ast.Call, names: set[str]) -> bool:
    """Whether it is `x.name()` for one of `names`; a file's `write` has arguments."""
    named = isinstance(call.func, ast.Attribute) and call.func.attr in names
    return named and not call.args and not call.keywords


class _Finder(ast.NodeVisitor):
    def __init__(self, ways: set[str]) -> None:
        self.found: list[tuple[str, ast.Call]] = []
        self._ways = ways
        self._within: list[str] = []

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._enter(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        # What such a context manager does counts as done by whoever uses it.
        if not (node.name in self._ways and _is_context_manager(node)):
            self._enter(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._enter(node)

    def visit_Call(self, node: ast.Call) -> None:
        self.generic_visit(node)
        place = ".".join(self._within)
        if _is_bare(node, self._ways):
            self.found.append((place, node))
        elif what := _done_to_a_file(node):
            self.found.append((f"{place} {what}", node))

    def _enter(self, node: ast.AST) -> None:
        self._within.append(node.name)
        self.generic_visit(node)
        self._within.pop()


def _done_to_a_file(call: ast.Call) -> str:
    """What the call does to a file, or to a database beside the queue; "": nothing."""
    if isinstance(call.func, ast.Name):
        return "open" if call.func.id == "open" and _writes(call, 1) else ""
    if not isinstance(call.func, ast.Attribute):
        return ""
    name, of_os = call.func.attr, ast.unparse(call.func.value) == "os"
    if name in ("execute", "executescript"):
        return next((each for each in _PRAGMAS if _begins(call, each)), "")
    known = (
        name in _FILES
        or (of_os and name in _OF_OS)
        or (of_os and name == "open" and "O_CREAT" in ast.unparse(call))
        or (not of_os and name == "open" and _writes(call, 0))
        # `str.replace` has two arguments, that of a dataclass has keywords.
        or (
            name == "replace" and (of_os or (len(call.args) == 1 and not call.keywords))
        )
        or (name == "backup" and bool(call.args))
    )
    return name if known else ""


def _writes(call: ast.Call, position: int) -> bool:
    mode = call.args[position] if len(call.args) > position else None
    for keyword in call.keywords:
        mode = keyword.value if keyword.arg == "mode" else mode
    return isinstance(mode, ast.Constant) and not set(str(mode.value)) <= set("rbt")


def _begins(call: ast.Call, words: str) -> bool:
    text = call.args[0] if call.args else None
    if isinstance(text, ast.JoinedStr):
        text = text.values[0]
    return isinstance(text, ast.Constant) and str(text.value).startswith(words)


if __name__ == "__main__":
    sys.stdout.writelines(f"{name}\n" for name in durable_steps())
