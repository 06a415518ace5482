"""A queue to be watched."""

from __future__ import annotations
