"""The recipe: mail daemons as a part of a buildout."""

from .recipe import Recipe

__all__ = ["Recipe"]
