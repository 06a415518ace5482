"""The daemon: what takes dropped files in and sends what is due."""

from .process import run, run_once

__all__ = ["run", "run_once"]
