"""What `maildropctl check` looks at: one module for each subject."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .finding import Finding, Level

if TYPE_CHECKING:
    from ...config import Configuration

__all__ = ["Finding", "Level", "every_check"]


def every_check(configuration: Configuration) -> Iterator[Finding]:
    """The findings in the order of a mail's way, each once known: relays take time."""
    from . import clock, configurationfile, daemon, directories, faults, queue, relays

    here = (configurationfile, directories, queue)
    subjects = (*here, relays, faults, clock, daemon)
    for subject in subjects:
        yield from subject.check(configuration)
