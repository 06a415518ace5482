"""The error that makes a measurement worthless."""

from __future__ import annotations


class BenchmarkFailed(Exception):
    """Says who did not do what was to be measured."""
