"""Secrets taken out of a text that somebody else wrote."""

# Whoever is told a secret may repeat it: as it is, quoted as in a URL, in base64 at any
# offset, cut off. So every piece of it that is too long to be chance is taken out.

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from functools import lru_cache
from urllib.parse import quote

from .secret import HIDDEN

PIECE = 12
"""Characters; a shorter secret is looked for as a whole."""
SHORTEST_FORM = 5
"""Characters of base64: fewer give nothing away, and occur in many a word."""


def hide(text: str, secrets: Iterable[str]) -> str:
    """`text` with every piece of a secret replaced by asterisks."""
    places = [place for secret in secrets for place in _places(text, secret)]
    if not places:
        return text
    shown = bytearray(b"\1" * len(text))
    for start, end in places:
        shown[start:end] = bytes(end - start)
    return "".join(_replaced(text, shown))


def _places(text: str, secret: str) -> Iterator[tuple[int, int]]:
    for size, pieces in _pieces(secret).items():
        for start in range(len(text) - size + 1):
            if text[start : start + size] in pieces:
                yield start, start + size


@lru_cache(maxsize=16)
def _pieces(secret: str) -> dict[int, frozenset[str]]:
    """All that must not be shown, by length; cached, as every reply needs it."""
    forms = set(_forms(secret)) if secret else set()
    sizes = {min(PIECE, len(form)) for form in forms}
    return {
        size: frozenset(
            form[start : start + size]
            for form in forms
            if min(PIECE, len(form)) == size
            for start in range(len(form) - size + 1)
        )
        for size in sizes
    }


def _forms(secret: str) -> Iterator[str]:
    yield secret
    yield quote(secret, safe="")
    octets = secret.encode()
    for offset in range(3):
        encoded = base64.b64encode(bytes(offset) + octets).decode().rstrip("=")
        # Both ends depend on what stands beside the secret.
        for form in (encoded[(0, 2, 3)[offset] :], encoded[(0, 2, 3)[offset] : -1]):
            if len(form) >= SHORTEST_FORM:
                yield form
                yield form.replace("+", "-").replace("/", "_")


def _replaced(text: str, shown: bytearray) -> Iterator[str]:
    hiding = False
    for character, is_shown in zip(text, shown, strict=True):
        if is_shown:
            yield character
        elif not hiding:
            yield HIDDEN
        hiding = not is_shown
