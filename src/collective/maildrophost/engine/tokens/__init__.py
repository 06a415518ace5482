"""Access tokens for a login by XOAUTH2, from the token endpoint of a provider."""

from .configured import source_of
from .fault import TokenFault
from .files import await_replacements
from .source import TokenSource
from .token import AccessToken

__all__ = [
    "AccessToken",
    "TokenFault",
    "TokenSource",
    "await_replacements",
    "source_of",
]
