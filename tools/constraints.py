"""Write the pins of versions.cfg as constraints for pip."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
HEADER = "# The pins of versions.cfg, for pip. Written by `make constraints`.\n"

Pins = dict[str, str]


def main(argv: list[str] | None = None) -> int:
    options = arguments().parse_args(argv)
    text = constraints(options.versions.read_text(encoding="utf-8"))
    if options.check:
        return agree(options.constraints, text)
    options.constraints.write_text(text, encoding="utf-8")
    return 0


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--versions", type=Path, default=HERE / "versions.cfg")
    parser.add_argument("--constraints", type=Path, default=HERE / "constraints.txt")
    parser.add_argument("--check", action="store_true", help="only compare")
    return parser


def agree(path: Path, expected: str) -> int:
    if path.read_text(encoding="utf-8") == expected:
        return 0
    print(f"{path} differs from the pins: run `make constraints`.", file=sys.stderr)
    return 1


def constraints(versions_cfg: str) -> str:
    everywhere, exceptions = read_pins(versions_cfg)
    return HEADER + "".join(
        f"{line}\n"
        for name in sorted(everywhere, key=str.lower)
        for line in requirements(name, everywhere[name], exceptions)
    )


def read_pins(versions_cfg: str) -> tuple[Pins, dict[str, Pins]]:
    """The pins for every Python, then those of single ones ("3.10")."""
    parser = ConfigParser(delimiters=("=",), interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(versions_cfg)
    exceptions = {
        python_version(section): dict(parser[section])
        for section in parser.sections()
        if section != "versions"
    }
    return dict(parser["versions"]), exceptions


def python_version(section: str) -> str:
    """The Python that a conditional section of buildout is for."""
    match = re.fullmatch(r"versions:python(\d)(\d+)", section)
    if match is None:
        raise ValueError(f"[{section}]: expected [versions] or [versions:python310]")
    return ".".join(match.groups())


def requirements(name: str, version: str, exceptions: dict[str, Pins]) -> Iterator[str]:
    special = {
        python: pins[name] for python, pins in exceptions.items() if name in pins
    }
    others = " and ".join(f'python_version != "{python}"' for python in special)
    yield f"{name}=={version}" + (f" ; {others}" if others else "")
    for python, exception in special.items():
        yield f'{name}=={exception} ; python_version == "{python}"'


if __name__ == "__main__":
    sys.exit(main())
