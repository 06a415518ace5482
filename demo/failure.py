"""Why the demo cannot go on."""

from __future__ import annotations


class DemoFailed(Exception):
    """A part did not do what it is there for; the text says which and why."""
