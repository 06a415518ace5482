"""Passwords and tokens: where they come from, and how nothing shows them."""

from .secret import Secret

__all__ = ["Secret"]
