"""The recipe: mail daemons as a part of a buildout."""

from .recipe import Recipe, uninstall

__all__ = ["Recipe", "uninstall"]
