"""Secrets taken out of a text that somebody else wrote."""

# Who is told a secret may repeat it: in plain, quoted as in a web address, in base64 at
# any offset, cut off. So any piece of it that is too long for chance is taken out.

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from urllib.parse import quote

from collective.maildrophost.engine.config.secret import HIDDEN

SHORTEST_PIECE = 12
"""Characters; a secret that is shorter is looked for as a whole."""
SHORTEST_FORM = 5
"""Less than this of base64 says nothing, and stands in every other word."""


def hide(text: str, secrets: Iterable[str]) -> str:
    """`text` with every piece of a secret replaced by asterisks."""
    shown = bytearray(b"\1" * len(text))
    for secret in filter(None, secrets):
        for form in set(_forms(secret)):
            for start, end in _found(text, form):
                shown[start:end] = bytes(end - start)
    return "".join(_replaced(text, shown))


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


def _found(text: str, form: str) -> Iterator[tuple[int, int]]:
    size = min(SHORTEST_PIECE, len(form))
    for start in range(len(text) - size + 1):
        if text[start : start + size] in form:
            yield start, start + size


def _replaced(text: str, shown: bytearray) -> Iterator[str]:
    hiding = False
    for character, is_shown in zip(text, shown, strict=True):
        if is_shown:
            yield character
        elif not hiding:
            yield HIDDEN
        hiding = not is_shown
