"""The daemon: one process that takes dropped files in and sends what is due."""

from .process import run

__all__ = ["run"]
