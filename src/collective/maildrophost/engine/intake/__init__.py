"""Dropped files become queued mail, each exactly once."""

from .scan import QUIET_SECONDS, Intake, Untaken

__all__ = ["Intake", "QUIET_SECONDS", "Untaken"]
