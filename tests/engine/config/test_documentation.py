"""The promise that the reference lists every option as it is."""

from __future__ import annotations

from pathlib import Path

from collective.maildrophost.engine.config import OPTIONS

EMPTY = '""'
REFERENCE = Path(__file__).parents[3] / "docs" / "configuration.md"


def test_the_reference_has_every_option_with_its_default_and_meaning():
    table = REFERENCE.read_text(encoding="utf-8").partition("## Every option")[2]
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    assert rows == [row(option) for option in OPTIONS]


def test_the_example_of_the_reference_loads_without_a_warning(load_text):
    text = REFERENCE.read_text(encoding="utf-8").partition("## How")[0]
    lines = [line[4:] for line in text.splitlines() if line.startswith("    ")]
    configuration = load_text("\n".join(lines), home="")
    assert configuration.warnings == ()
    assert configuration.password.reveal() == "pa$$word"


def row(option) -> str:
    default = "required" if option.default is None else f"`{option.default or EMPTY}`"
    return f"| `{option.name}` | {default} | {option.kind.value} | {option.doc} |"
