"""What makes a measurement worthless."""

from __future__ import annotations


class BenchmarkFailed(Exception):
    """Says which contestant did not do what it is measured at."""
