"""The error of a measurement that is worth nothing."""

from __future__ import annotations


class BenchmarkFailed(Exception):
    """Says who did not do what was to be measured."""
